// Keeps what was being typed when a session ends, and offers it back on the same page after log-in.
// The text stays in this tab of this browser (sessionStorage), for the same person only; passwords are never kept.

const PREFIX = "kept-text:";
const SKIPPED_TYPES = new Set(["password", "file", "hidden", "submit", "button", "reset", "image", "search"]);

const storageKey = () => PREFIX + location.pathname;
const person = () => document.body.dataset.person ?? "";

function fields() {
  return [...document.querySelectorAll("main form[method='post' i] :is(input, textarea, select)[name]")].filter(
    (field) =>
      !SKIPPED_TYPES.has(field.type) && field.autocomplete !== "one-time-code" && !field.closest("[data-never-keep]"),
  );
}

function isChanged(field) {
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.options) return [...field.options].some((option) => option.selected !== option.defaultSelected);
  return field.value !== field.defaultValue;
}

function valueOf(field) {
  if (field.type === "checkbox" || field.type === "radio") return field.checked;
  if (field.multiple && field.options) return [...field.selectedOptions].map((option) => option.value);
  return field.value;
}

function putBack(field, value) {
  if (field.type === "checkbox" || field.type === "radio") field.checked = value;
  else if (field.multiple && field.options)
    for (const option of field.options) option.selected = value.includes(option.value);
  else field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

// A radio or checkbox shares its name with others: name and value together say which one it is.
const nameOf = (field) =>
  field.type === "checkbox" || field.type === "radio" ? `${field.name}=${field.value}` : field.name;

/** Keeps the changed fields of this page; returns whether there was anything to keep. */
export function keepTypedText() {
  const changed = fields().filter(isChanged);
  if (!changed.length) return false;
  const kept = { person: person(), at: Date.now(), values: changed.map((field) => [nameOf(field), valueOf(field)]) };
  try {
    sessionStorage.setItem(storageKey(), JSON.stringify(kept));
  } catch {
    return false; // storage is full or switched off
  }
  return true;
}

function readKept() {
  try {
    return JSON.parse(sessionStorage.getItem(storageKey()));
  } catch {
    return null;
  }
}

const forget = () => sessionStorage.removeItem(storageKey());

/** Shows the offer that base.html carries as a template, when there is kept text for this page and person. */
export function offerKeptText() {
  const template = document.getElementById("kept-text-offer");
  if (!template) return;
  const kept = readKept();
  if (!kept) return;
  if (kept.person !== person()) return forget();
  const byName = new Map(fields().map((field) => [nameOf(field), field]));
  const values = kept.values.filter(([name, value]) => byName.has(name) && valueOf(byName.get(name)) !== value);
  if (!values.length) return forget();

  const main = document.querySelector("main");
  main.prepend(template.content.cloneNode(true));
  const offer = main.querySelector("[data-kept-text]");
  offer.querySelector("[data-put-back]").addEventListener("click", () => {
    for (const [name, value] of values) putBack(byName.get(name), value);
    forget();
    offer.remove();
    byName.get(values[0][0]).focus();
  });
  offer.querySelector("[data-throw-away]").addEventListener("click", () => {
    forget();
    offer.remove();
    main.setAttribute("tabindex", "-1");
    main.focus();
  });
}
