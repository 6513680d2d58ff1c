// Adds up the budget while it is typed, as the server does after each save, and says early when it is over the limit.

const AMOUNT = /^\d{1,9}(\.\d{1,2})?$/;
const inPounds = new Intl.NumberFormat("en-GB", { style: "currency", currency: "GBP" });

/** Pence, as a whole number, so that sums are exact; nothing where it is not money (the server then says so). */
function pence(text) {
  const plain = text.replace(/[\s,£]/g, "");
  if (!AMOUNT.test(plain)) return 0;
  const [pounds, rest = ""] = plain.split(".");
  return Number(pounds) * 100 + Number(rest.padEnd(2, "0"));
}

const shown = (amount) => inPounds.format(amount / 100).replace(/\.00$/, "");

function add(form) {
  const sums = {};
  for (const control of form.querySelectorAll("[name^='budget-'][name$='-asked'], [name^='budget-'][name$='-matched']")) {
    const [, number, kind] = control.name.split("-");
    const year = form.querySelector(`[name='budget-${number}-year']:checked, select[name='budget-${number}-year']`);
    for (const key of [`${kind}-${year?.value || "1"}`, `${kind}-all`]) sums[key] = (sums[key] ?? 0) + pence(control.value);
  }
  return sums;
}

/** Starts it where the page shows the sums of a budget. */
export function addUpBudget() {
  const table = document.querySelector("[data-budget]");
  const form = table?.closest("form");
  if (!form) return;
  const note = table.querySelector("[data-budget-note]");
  const limit = table.dataset.limit ? pence(table.dataset.limit) : 0;
  const update = () => {
    const sums = add(form);
    for (const cell of table.querySelectorAll("[data-sum]")) cell.textContent = shown(sums[cell.dataset.sum] ?? 0);
    const over = limit ? (sums["asked-all"] ?? 0) - limit : 0;
    const sentence = over > 0 ? `This is ${shown(over)} more than one proposal can ask for. You can save it and change it later.` : "";
    if (note.textContent !== sentence) note.textContent = sentence;
  };
  form.addEventListener("input", update);
  form.addEventListener("change", update);
  update();
}
