// Saves a section of a draft while it is being written. Nothing is overwritten: where someone else has changed the same
// answer, both texts are shown and the writer chooses. What cannot be sent is kept on the device and sent again.
import { keepTypedText } from "./keep-typed-text.mjs";

const AFTER = 3000; // after the first change
const RETRIES = [5000, 10_000, 20_000, 30_000];
const KEEPALIVE_LIMIT = 60_000; // browsers take 64 KB from a page that is being left
const MOST_UNSURE = 5;

const status = document.querySelector("[data-autosave]");
const base = document.querySelector('main input[name="base"]');
const form = base?.form;
const UNSENT = new Set(["csrfmiddlewaretoken", "base", "sent", "version"]);

let timer, retry;
let failures = 0;
let isSending = false;
let isLeaving = false;
let isOver = false;
let unsure = []; // bodies that were sent and not answered: they may have arrived

function typed() {
  const pairs = [...new FormData(form)].filter(([name, value]) => !UNSENT.has(name) && typeof value === "string");
  return new URLSearchParams(pairs).toString();
}
let saved = form && typed();

function say(words, link) {
  const now = link ? `${words} ${link.text}` : words;
  if (status.textContent.trim() === now) return;
  status.textContent = link ? `${words} ` : words;
  if (link) {
    const a = document.createElement("a");
    a.href = link.href;
    a.textContent = link.text;
    status.append(a);
  }
}

function noteSent() {
  for (const old of form.querySelectorAll('input[name="sent"]')) old.remove();
  for (const body of unsure) {
    const input = document.createElement("input");
    Object.assign(input, { type: "hidden", name: "sent", value: body });
    form.append(input);
  }
}

function schedule(wait = AFTER) {
  if (isOver || isLeaving) return;
  if (timer && wait >= AFTER) return; // the first change since the last save counts
  clearTimeout(timer);
  timer = setTimeout(send, wait);
}

async function send({ isLast = false, isSecondTry = false } = {}) {
  clearTimeout(timer);
  timer = null;
  if (isOver || (isSending && !isLast)) return;
  const body = typed();
  if (body === saved && !unsure.length) return;
  const parts = new URLSearchParams(body);
  parts.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  parts.set("base", base.value);
  for (const one of unsure) parts.append("sent", one);
  if (!unsure.includes(body)) unsure = [...unsure, body].slice(-MOST_UNSURE);
  noteSent();
  isSending = true;
  let answer;
  try {
    answer = await fetch(status.dataset.autosave, {
      method: "POST",
      body: parts,
      headers: { Accept: "application/json" },
      credentials: "same-origin",
      redirect: "manual",
      keepalive: isLast && parts.toString().length < KEEPALIVE_LIMIT,
    });
  } catch {
    isSending = false;
    return tryAgain("Not saved: no connection – we try again.");
  }
  isSending = false;
  if (answer.ok) return onSaved(await answer.json().catch(() => null), body);
  if (answer.type === "opaqueredirect" || answer.status === 401) return onLoggedOut();
  if (answer.status === 403 && !isSecondTry && (await renewToken())) return send({ isSecondTry: true });
  if (answer.status === 403) return onLoggedOut();
  if (answer.status === 404) return end("Not saved: you can no longer write this proposal. Copy your text from here.");
  if (answer.status === 409) {
    const { problem } = await answer.json().catch(() => ({}));
    return end(problem || "Not saved: this proposal can no longer be changed.");
  }
  if (answer.status === 422) return onRefused((await answer.json().catch(() => ({}))).problem);
  return tryAgain("Not saved: the portal does not answer – we try again.");
}

/** Not with this text: it stays on the page, and is sent again once it has changed. */
function onRefused(problem) {
  unsure = [];
  noteSent();
  keepTypedText();
  say(problem || "Not saved: something in your text stands in the way.");
}

function onSaved(news, body) {
  if (!news) return tryAgain("Not saved: the portal does not answer – we try again.");
  failures = 0;
  clearTimeout(retry);
  unsure = [];
  noteSent();
  saved = body;
  base.value = news.base;
  if (form.elements.version) form.elements.version.value = news.version;
  if (typed() === body) forgetChanges();
  showClashes(news.clashes ?? []);
  if (news.clashes?.length) {
    const [first] = news.clashes;
    const count = news.clashes.length;
    say(`Saved at ${news.saved_at}, but for ${count === 1 ? "an answer" : `${count} answers`} that someone else changed.`, {
      href: `#clash-${first.name}`,
      text: count === 1 ? "See both texts" : "See both texts of each",
    });
  } else {
    say(`Saved at ${news.saved_at}`);
  }
  if (typed() !== saved) schedule();
}

function tryAgain(words) {
  keepTypedText();
  say(words);
  clearTimeout(retry);
  retry = setTimeout(send, RETRIES[Math.min(failures++, RETRIES.length - 1)]);
}

function onLoggedOut() {
  const isKept = keepTypedText();
  const words = "Not saved: you have been logged out.";
  const next = encodeURIComponent(location.pathname + location.search);
  say(isKept ? `${words} What you typed is kept on this device.` : `${words} Copy your text before you go on.`, {
    href: `${status.dataset.login}?next=${next}`,
    text: "Log in",
  });
  clearTimeout(retry);
  retry = setTimeout(send, RETRIES.at(-1)); // after a log-in in another window it goes through
}

function end(words) {
  isOver = true;
  keepTypedText();
  say(words);
}

/** After a log-in elsewhere this page's token is old; the same page has the new one. */
async function renewToken() {
  try {
    const answer = await fetch(location.href, { credentials: "same-origin", redirect: "manual" });
    if (!answer.ok) return false;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (page.body.dataset.person !== document.body.dataset.person) return false;
    const token = page.querySelector('main input[name="csrfmiddlewaretoken"]')?.value;
    if (!token) return false;
    for (const input of document.querySelectorAll('input[name="csrfmiddlewaretoken"]')) input.value = token;
    return true;
  } catch {
    return false;
  }
}

/** What is stored need not be offered again after a log-out. */
function forgetChanges() {
  for (const field of form.elements) {
    if (field.type === "checkbox" || field.type === "radio") field.defaultChecked = field.checked;
    else if (field.options) for (const option of field.options) option.defaultSelected = option.selected;
    else if ("defaultValue" in field && field.type !== "hidden" && field.type !== "file") field.defaultValue = field.value;
  }
}

// Two texts for one answer ---------------------------------------------------------------------------------------------
const controlsOf = (name) =>
  [name, `${name}_day`, `${name}_month`, `${name}_year`].flatMap((one) => [
    ...form.querySelectorAll(`[name="${CSS.escape(one)}"]`),
  ]);

function shownValue(name) {
  const controls = controlsOf(name);
  const labels = controls
    .filter((field) => field.checked)
    .map((field) => field.labels[0]?.textContent.trim() ?? field.value);
  if (controls.some((field) => field.type === "radio" || field.type === "checkbox")) return labels.join(", ");
  if (controls[0]?.options) return controls[0].selectedOptions[0]?.textContent.trim() ?? "";
  return controls.map((field) => field.value).filter(Boolean).join(" "); // prettier-ignore
}

function write(name, value) {
  const controls = controlsOf(name);
  const wanted = Array.isArray(value) ? value : [value];
  const isDate = controls.length === 3 && controls[0].name === `${name}_day`;
  controls.forEach((field, index) => {
    if (field.type === "radio" || field.type === "checkbox") field.checked = wanted.includes(field.value);
    else field.value = isDate ? (String(value).split("/")[index] ?? "") : value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

function take(clash) {
  const marks = JSON.parse(base.value);
  if (clash.mark) marks[clash.name] = clash.mark;
  else delete marks[clash.name];
  base.value = JSON.stringify(marks);
  document.getElementById(`clash-${clash.name}`)?.remove();
  controlsOf(clash.name)[0]?.focus();
  saved = null; // send, even if nothing else has changed
  schedule(0);
}

function showClashes(clashes) {
  const names = new Set(clashes.map((clash) => `clash-${clash.name}`));
  for (const old of form.querySelectorAll(".app-clash")) if (!names.has(old.id)) old.remove();
  const template = document.getElementById("clash-template");
  for (const clash of clashes) {
    const id = `clash-${clash.name}`;
    let panel = document.getElementById(id);
    if (!panel) {
      panel = template.content.firstElementChild.cloneNode(true);
      panel.id = id;
      panel.querySelector("[data-question]").textContent = clash.label;
      const group = controlsOf(clash.name)[0]?.closest(".nhsuk-form-group") ?? form.lastElementChild;
      group.before(panel);
      panel.querySelector("[data-theirs-button]").addEventListener("click", () => {
        write(clash.name, panel.clash.value);
        take(panel.clash);
      });
      panel.querySelector("[data-mine-button]").addEventListener("click", () => take(panel.clash));
      form.addEventListener("input", () => mirror(panel));
    }
    panel.clash = clash;
    panel.querySelector("[data-theirs]").textContent = clash.stored || "Nothing";
    mirror(panel);
  }
}

function mirror(panel) {
  if (panel.isConnected) panel.querySelector("[data-mine]").textContent = shownValue(panel.clash.name) || "Nothing";
}

// When to save ---------------------------------------------------------------------------------------------------------
if (status && form) {
  form.addEventListener("input", () => schedule());
  form.addEventListener("change", () => schedule());
  form.addEventListener("focusout", () => schedule(400));
  form.addEventListener("submit", () => {
    isLeaving = true;
    clearTimeout(timer);
    clearTimeout(retry);
  });
  window.addEventListener("online", () => schedule(0));
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : schedule(0)));
  window.addEventListener("pagehide", leave);
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) isLeaving = false; // back from the browser's memory after a submit
  });
  if (typed() !== saved || status.dataset.unsaved) {
    saved = null;
    schedule();
  }
}

function leave() {
  if (isLeaving || isOver || typed() === saved) return;
  keepTypedText();
  send({ isLast: true });
}
