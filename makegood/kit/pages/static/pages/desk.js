// What JavaScript adds to single pages of the desk. Keys are in keys.js.
"use strict";

// A table that is checked while it is typed: the answer replaces what the check said before.
const checked = document.querySelector("form[data-live-check]");
if (checked) {
  let waiting = 0;
  let asked = 0;
  checked.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const mine = ++asked;
      const answer = await fetch(checked.dataset.liveCheck, { method: "POST", body: new FormData(checked) });
      const told = await answer.text();
      const place = document.getElementById("findings");
      if (mine === asked && place && told.includes('id="findings"')) place.outerHTML = told;
    }, 400);
  });
}

// A part of a page that is not finished asks again until it is.
function askAgain() {
  const part = document.querySelector("[data-again]");
  if (!part) return;
  setTimeout(async () => {
    const answer = await fetch(location.href);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(part.id);
    if (fresh) part.replaceWith(fresh);
    askAgain();
  }, 1500);
}
askAgain();
