// Keys for the desk. Off while typing and while an input method composes; nothing here is needed to work.
"use strict";

const rows = Array.from(document.querySelectorAll("[data-row]"));
let chosen = -1;

function choose(index) {
  if (!rows.length) return;
  rows[chosen]?.classList.remove("chosen");
  chosen = Math.max(0, Math.min(rows.length - 1, index));
  rows[chosen].classList.add("chosen");
  rows[chosen].querySelector("a").focus({ preventScroll: true });
  rows[chosen].scrollIntoView({ block: "nearest" });
}

function goTo(selector) {
  const place = document.querySelector(selector);
  if (!place) return;
  place.closest("details")?.setAttribute("open", "");
  place.scrollIntoView({ block: "center" });
  place.focus();
}

const keys = {
  j: () => choose(chosen + 1),
  k: () => choose(chosen - 1),
  o: () => rows[chosen]?.querySelector("a").click(),
  "/": () => goTo("[data-search]"),
  r: () => goTo("#reply"),
  n: () => goTo("#note"),
  d: () => goTo("#decision"),
  u: () => document.querySelector(".brand").click(),
  "?": () => document.getElementById("keys")?.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229) return;
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (typing) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && typing.form) {
      event.preventDefault();
      typing.form.requestSubmit();
    } else if (event.key === "Escape") {
      typing.blur();
    }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const act = keys[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
});

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
