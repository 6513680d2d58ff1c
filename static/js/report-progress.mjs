// Follows what a worker makes (a PDF, the check of a file) without reloading; when it has ended, the page is loaded anew.
const place = document.querySelector("[data-progress-url]");
const bar = place?.querySelector("progress");
const words = place?.querySelector("[data-progress-words]");
const EACH = 1000;

async function look() {
  try {
    const answer = await fetch(place.dataset.progressUrl, { headers: { Accept: "application/json" } });
    if (answer.ok) {
      const news = await answer.json();
      if (!news.is_under_way) {
        window.location.reload();
        return;
      }
      show(news);
    }
  } catch {
    // The network is away for a moment: the next look tells.
  }
  window.setTimeout(look, EACH);
}

function show(news) {
  for (const [name, label] of Object.entries(news.each ?? {})) {
    const status = place.querySelector(`[data-progress-of="${CSS.escape(name)}"] strong`);
    if (status && status.textContent !== label) {
      status.textContent = label;
    }
  }
  bar.value = news.percent;
  bar.textContent = `${news.percent}%`;
  const said = news.status === "queued" ? words.textContent : `${news.percent}%: ${news.step}`;
  if (said !== words.textContent) {
    words.textContent = said;
  }
}

if (place && bar && words) {
  window.setTimeout(look, EACH);
}
