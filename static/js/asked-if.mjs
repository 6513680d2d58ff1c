// Shows a question only while another one has the answer that it depends on. The page says so in words too, and
// the server decides: what is hidden here is neither required nor shown to readers, and what was typed in it is kept.

const controlsOf = (form, name) => [...form.elements].filter((control) => control.name === name);

function answersTo(form, name) {
  return controlsOf(form, name)
    .filter((control) => (control.type === "radio" || control.type === "checkbox" ? control.checked : true))
    .filter((control) => !control.closest("[data-asked-if][hidden]"))
    .map((control) => control.value);
}

/** Starts it for every form of the page that has such questions. */
export function revealWhatIsAsked() {
  for (const form of document.querySelectorAll("main form")) {
    const dependent = [...form.querySelectorAll("[data-asked-if]")];
    if (!dependent.length) continue;
    const update = () => {
      for (const part of dependent) {
        const wanted = JSON.parse(part.dataset.askedIfAnswers);
        part.hidden = !answersTo(form, part.dataset.askedIf).some((answer) => wanted.includes(answer));
      }
    };
    form.addEventListener("change", update);
    update();
  }
}
