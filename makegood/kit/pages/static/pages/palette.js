// The palette: commands of this page, pages of the desk, and cases and orders by their number.
import { composes, doAct } from "./keys.js";

const dialog = document.getElementById("palette");
const field = dialog?.querySelector("input");
const list = dialog?.querySelector("[role=listbox]");
let at = 0;
let asked = 0;
let waiting = 0;
let found = [];

const plain = (text) => text.normalize("NFKC").toLowerCase().trim();

function known() {
  const commands = Array.from(document.querySelectorAll("#keys [data-act]")).map((row) => ({
    title: row.querySelector("dd").textContent,
    about: row.dataset.keys,
    run: () => doAct(row.dataset.act),
  }));
  const pages = Array.from(document.querySelectorAll(".masthead nav a, .views a")).map((link) => ({
    title: link.textContent,
    about: dialog.dataset.page,
    run: () => link.click(),
  }));
  return [...pages, ...commands];
}

function show() {
  const wanted = plain(field.value);
  const own = known().filter((one) => plain(one.title).includes(wanted));
  const options = [...found, ...own].slice(0, 12);
  at = Math.max(0, Math.min(at, options.length - 1));
  list.replaceChildren(
    ...options.map((one, index) => {
      const row = document.createElement("li");
      row.role = "option";
      row.id = `palette-${index}`;
      row.ariaSelected = String(index === at);
      const title = document.createElement("span");
      title.textContent = one.title;
      const about = document.createElement("small");
      about.textContent = one.about;
      row.append(title, about);
      row.addEventListener("click", () => take(one));
      return row;
    }),
  );
  field.setAttribute("aria-activedescendant", options.length ? `palette-${at}` : "");
  list.children[at]?.scrollIntoView({ block: "nearest" });
  dialog.querySelector("[data-none]").hidden = options.length > 0;
  return options;
}

function take(one) {
  dialog.close();
  one.run();
}

async function ask() {
  const mine = ++asked;
  const wanted = field.value.trim();
  if (wanted.length < 2) {
    found = [];
    return show();
  }
  const answer = await fetch(`${dialog.dataset.search}?q=${encodeURIComponent(wanted)}`);
  if (mine !== asked || !answer.ok) return;
  found = (await answer.json()).found.map((one) => ({ ...one, run: () => { location.href = one.url; } }));
  show();
}

if (dialog) {
  document.addEventListener("makegood:palette", () => {
    field.value = "";
    found = [];
    at = 0;
    show();
    dialog.showModal();
    field.focus();
  });
  field.addEventListener("input", (event) => {
    at = 0;
    show();
    if (event.isComposing) return;
    clearTimeout(waiting);
    waiting = setTimeout(ask, 150);
  });
  field.addEventListener("compositionend", () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, 150);
  });
  field.addEventListener("keydown", (event) => {
    if (composes(event)) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      at += step;
      show();
    } else if (event.key === "Enter") {
      event.preventDefault();
      const one = show()[at];
      if (one) take(one);
    }
  });
}
