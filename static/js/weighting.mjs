// A slider beside each number field of the weighting, and what share the weights then have of the whole.
const form = document.querySelector("[data-weighting]");
const places = [...(form?.querySelectorAll("[data-weight]") ?? [])];
const numberOf = (place) => Math.min(Math.max(Number.parseInt(place.querySelector("input").value, 10) || 0, 0), 100);

function showShares() {
  const total = places.reduce((sum, place) => sum + numberOf(place), 0);
  for (const place of places)
    place.querySelector("output").textContent = total ? `${Math.round((100 * numberOf(place)) / total)}%` : "";
}

for (const place of places) {
  const number = place.querySelector("input");
  const slider = document.createElement("input");
  slider.type = "range";
  slider.min = 0;
  slider.max = 100;
  slider.className = "app-slider";
  slider.value = number.value;
  slider.setAttribute("aria-label", `${place.querySelector("label").textContent}, as a slider`);
  const share = document.createElement("output");
  share.htmlFor = number.id;
  slider.addEventListener("input", () => {
    number.value = slider.value;
    showShares();
  });
  number.addEventListener("input", () => {
    slider.value = numberOf(place);
    showShares();
  });
  place.append(slider, share);
}
showShares();
