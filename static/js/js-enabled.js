// First thing in the body, so that the page never jumps: tells the style sheet that scripts run.
document.body.classList.add("js-enabled", "nhsuk-frontend-supported");
