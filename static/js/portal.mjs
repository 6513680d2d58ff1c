// Starts the scripts of the NHS.UK components and our own; every page works without them.
// (WhiteNoise serves imported files by their plain names, for a minute at a time.)
import { initAll } from "./nhsuk-frontend.min.js";
import { offerKeptText } from "./keep-typed-text.mjs";
import { watchSession } from "./session-warning.mjs";

// Words are what stands between spaces, as the server counts them: upstream would count "co-design" as two.
const countAsTheServer = (text, { config }) =>
  config.countType === "words" ? text.split(/\s+/).filter(Boolean).length : text.length;

initAll({ characterCount: { countFunction: countAsTheServer } });
offerKeptText();
watchSession();
