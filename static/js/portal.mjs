// Starts the scripts of the NHS.UK components and our own; every page works without them.
// (WhiteNoise serves imported files by their plain names, for a minute at a time.)
import { initAll } from "./nhsuk-frontend.min.js";
import { offerKeptText } from "./keep-typed-text.mjs";
import { watchSession } from "./session-warning.mjs";

initAll();
offerKeptText();
watchSession();
