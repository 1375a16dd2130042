// What JavaScript adds to every page that works without it: no double sending, printing.
"use strict";

// The second press of an impatient thumb does nothing; a page that comes back from history can be sent again.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
});

document.querySelectorAll("[data-print]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
});

// A table that can be moved sideways can be moved by keyboard too.
function reachTables() {
  document.querySelectorAll(".table-scroll:not([tabindex])").forEach((table) => (table.tabIndex = 0));
}
reachTables();
document.addEventListener("htmx:afterSwap", reachTables);
