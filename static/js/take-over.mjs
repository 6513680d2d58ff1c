// Beside each reviewer's reason: a button that copies it into the feedback on that criterion, to be put in better words.
const said = document.createElement("p");
said.className = "nhsuk-u-visually-hidden";
said.setAttribute("role", "status");

for (const place of document.querySelectorAll("[data-copy-to]")) {
  const field = document.getElementById(place.dataset.copyTo);
  const text = place.querySelector("[data-text]").textContent.trim();
  if (!field || !text) continue;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "app-take-over";
  button.textContent = "Copy into the feedback";
  const of = document.createElement("span");
  of.className = "nhsuk-u-visually-hidden";
  of.textContent = ` on ${place.dataset.of}: ${text.slice(0, 60)}`;
  button.append(of);
  button.addEventListener("click", () => {
    field.value = field.value.trim() ? `${field.value.trimEnd()}\n\n${text}` : text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    said.textContent = `Copied into the feedback on ${place.dataset.of}`;
  });
  place.append(" ", button);
}
document.querySelector("[data-take-over]")?.append(said);
