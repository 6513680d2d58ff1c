// "2 of 6 criteria done" on the review page, kept true while scores and reasons are filled in.
const line = document.querySelector("[data-done-of]");
const criteria = [...document.querySelectorAll("[data-criterion]")];

const isDone = (criterion) =>
  criterion.querySelector("input[type=radio]:checked") && criterion.querySelector("textarea").value.trim();

function count() {
  line.textContent = `${criteria.filter(isDone).length} of ${line.dataset.doneOf} criteria done`;
}

if (line) {
  document.addEventListener("input", count);
  document.addEventListener("change", count);
}
