// Counts down to a deadline by the server's clock. The visitor's own clock is never asked what time it is: the server
// says it once, and the time since then is measured. Pages that are kept for visitors carry no words until this runs.

const SPOKEN_AT = [86400, 21600, 3600, 1800, 600, 300, 60]; // seconds left at which a screen reader says so
const ASK_AGAIN = 10 * 60 * 1000;

let heard = null; // { server, here }: what the server said, and when by the page's own stopwatch

async function listen(url) {
  const before = performance.now();
  const answer = await fetch(url, { credentials: "omit", cache: "no-store" });
  if (!answer.ok) throw new Error(`${answer.status}`);
  const { now } = await answer.json();
  const after = performance.now();
  heard = { server: now + (after - before) / 2, here: after };
}

const now = () => heard.server + performance.now() - heard.here;

/** The two largest units: "3 days 4 hours left". psc_portal/common/clock.py says the same. */
export function timeLeft(seconds) {
  if (seconds <= 0) return "";
  if (seconds < 60) return "less than a minute left";
  const minutes = Math.floor(seconds / 60);
  const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24, minutes % 60];
  const parts = days ? [[days, "day"], [hours, "hour"]] : [[hours, "hour"], [rest, "minute"]]; // prettier-ignore
  const shown = parts.filter(([count]) => count).map(([count, unit]) => `${count} ${unit}${count === 1 ? "" : "s"}`);
  return `${shown.join(" ")} left`;
}

function show(place) {
  const left = (Date.parse(place.dataset.countdown) - now()) / 1000;
  const words = left > 0 ? timeLeft(left) : "the time is over";
  const shown = place.querySelector("[data-left]");
  if (shown.textContent !== words) shown.textContent = words;
  place.hidden = false;
  const step = SPOKEN_AT.filter((seconds) => left <= seconds).length + (left <= 0 ? 1 : 0);
  const before = Number(place.dataset.step ?? step);
  if (step > before) place.querySelector("[data-said]").textContent = words;
  place.dataset.step = step;
  return left;
}

async function countDown() {
  const places = [...document.querySelectorAll("[data-countdown]")];
  if (!places.length) return;
  const url = places[0].dataset.clock;
  try {
    await listen(url);
  } catch {
    setTimeout(countDown, 30_000); // no connection: what the server wrote stays
    return;
  }
  let timer;
  const tick = () => {
    clearTimeout(timer);
    const nearest = Math.min(...places.map(show).filter((left) => left > 0), Infinity);
    if (nearest < Infinity) timer = setTimeout(tick, nearest < 120 ? 1000 : 10_000);
  };
  tick();
  const again = () => listen(url).then(tick, () => {});
  setInterval(again, ASK_AGAIN);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) again(); // the stopwatch stands still while a computer sleeps
  });
}

countDown();
