// Warns before an idle session ends. The server knows when that is; asking it does not make the session longer.
import { keepTypedText } from "./keep-typed-text.mjs";

const WARN_SECONDS = 120;
const ASK_AGAIN_SECONDS = 60;

export function watchSession() {
  const dialog = document.getElementById("session-warning");
  if (!dialog) return;
  const { secondsUrl, extendUrl, loginUrl } = dialog.dataset;
  const minutes = dialog.querySelector("[data-time-left]");
  let timer;
  let hasAsked = false;

  const wait = (seconds, action) => {
    clearTimeout(timer);
    timer = setTimeout(action, Math.max(seconds, 0) * 1000);
  };

  async function ask() {
    let secondsLeft;
    try {
      const answer = await fetch(secondsUrl, {
        credentials: "same-origin",
        headers: { Accept: "application/json" },
        redirect: "manual",
      });
      if (answer.type === "opaqueredirect" || [401, 403, 404].includes(answer.status)) secondsLeft = 0;
      else secondsLeft = (await answer.json()).seconds_left;
    } catch {
      return wait(ASK_AGAIN_SECONDS, ask); // no connection: the page stays as it is
    }
    if (typeof secondsLeft !== "number") return wait(ASK_AGAIN_SECONDS, ask);
    const isJustLoaded = !hasAsked; // then there was a session a moment ago: never send a page round in circles
    hasAsked = true;
    if (secondsLeft <= 0) return isJustLoaded ? wait(ASK_AGAIN_SECONDS, ask) : end();
    if (secondsLeft <= WARN_SECONDS) return warn(secondsLeft);
    if (dialog.open) dialog.close(); // another tab stayed signed in
    wait(Math.min(secondsLeft - WARN_SECONDS, 10 * ASK_AGAIN_SECONDS), ask);
  }

  function warn(secondsLeft) {
    const left = Math.ceil(secondsLeft / 60);
    minutes.textContent = secondsLeft < 45 ? "less than a minute" : left === 1 ? "1 minute" : `${left} minutes`;
    if (!dialog.open) dialog.showModal();
    wait(Math.min(secondsLeft, 15), ask);
  }

  function end() {
    keepTypedText();
    const here = location.pathname + location.search;
    location.assign(`${loginUrl}?next=${encodeURIComponent(here)}`);
  }

  async function stay(event) {
    event.preventDefault();
    const answer = await fetch(extendUrl, {
      method: "POST",
      credentials: "same-origin",
      body: new FormData(dialog.querySelector("form")),
      redirect: "manual",
    }).catch(() => null);
    if (answer?.ok) {
      dialog.close();
      wait(1, ask);
    } else {
      ask();
    }
  }

  dialog.querySelector("form").addEventListener("submit", stay);
  dialog.addEventListener("cancel", stay); // Escape means: still here
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) ask();
  });
  ask();
}
