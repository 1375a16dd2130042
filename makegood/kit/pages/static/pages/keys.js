// Keys of the desk. The cheat-sheet on the page is the keymap: what it shows is what works.
// Off while typing and while an input method composes; nothing here is needed to work.
const sheet = document.getElementById("keys");
const rows = () => Array.from(document.querySelectorAll("[data-row]"));
const LIST = "makegood.list";
let chosen = -1;

function keysOfPage() {
  const found = new Map();
  sheet?.querySelectorAll("[data-act]").forEach((row) => {
    row.dataset.keys.split(" ").filter(Boolean).forEach((key) => found.set(key, row.dataset.act));
  });
  return found;
}

// "Mod+Shift+Enter". Mod is Ctrl or Cmd; Shift is said only where the key's own name does not tell it.
export function keyOf(event) {
  const key = event.key === " " ? "Space" : event.key;
  const named = key.length > 1;
  const mod = event.ctrlKey || event.metaKey;
  const shift = event.shiftKey && (named || mod || event.altKey);
  const own = !named && (mod || event.altKey) ? key.toLowerCase() : key;
  return (mod ? "Mod+" : "") + (event.altKey ? "Alt+" : "") + (shift ? "Shift+" : "") + own;
}

// A key pressed while an input method composes belongs to it, also the Enter that takes its word.
export const composes = (event) => event.isComposing || event.keyCode === 229;

export function goTo(place) {
  if (!place) return false;
  for (let fold = place.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  const field = place.matches("details, section, div, form, fieldset")
    ? place.querySelector("input:not([type=hidden]):not([disabled]), select, textarea, button") || place
    : place;
  if (place.matches("details")) place.open = true;
  if (!field.matches("a, button, input, select, textarea, summary, [tabindex]")) field.tabIndex = -1;
  field.scrollIntoView({ block: "center" });
  field.focus();
  return true;
}

function choose(index) {
  const all = rows();
  if (!all.length) return;
  all[chosen]?.classList.remove("chosen");
  chosen = Math.max(0, Math.min(all.length - 1, index));
  all[chosen].classList.add("chosen");
  all[chosen].querySelector("a")?.focus({ preventScroll: true });
  all[chosen].scrollIntoView({ block: "nearest" });
}

// A list changed by itself keeps its chosen row.
function here() {
  const all = rows();
  const at = all.findIndex((row) => row.contains(document.activeElement));
  if (at >= 0) chosen = at;
  else if (!all[chosen]?.classList.contains("chosen")) chosen = all.findIndex((row) => row.classList.contains("chosen"));
  return all[chosen];
}

function neighbour(step) {
  const link = document.querySelector(step > 0 ? "a[rel=next][data-case]" : "a[rel=prev][data-case]");
  link?.click();
}

function move(step) {
  if (!rows().length) return neighbour(step);
  here();
  choose(chosen < 0 ? 0 : chosen + step);
}

function open(hash = "") {
  const link = here()?.querySelector("a[href]");
  if (!link) return;
  if (hash) location.href = link.href.split("#")[0] + "#" + hash;
  else link.click();
}

// In a list: what the list itself offers for its rows, else the same place in the case of the chosen row.
function place(name) {
  const link = document.querySelector(`[data-key="${name}"][data-click]`);
  if (link) return link.click();
  if (goTo(document.querySelector(`[data-key="${name}"]:not([hidden])`))) return;
  if (rows().length) open(`key-${name}`);
  return undefined;
}

function send(next) {
  const typing = document.activeElement?.closest("input, textarea, select, button");
  const form = typing?.form ?? document.querySelector("[data-key=reply]")?.form;
  if (!form) return;
  const button = form.querySelector(next ? "button[data-send=next]" : "button[data-send]:not([data-send=next])");
  form.requestSubmit(button ?? undefined);
}

const acts = {
  next: () => move(1),
  previous: () => move(-1),
  open: () => open(),
  select: () => {
    const row = here();
    const box = row?.querySelector("input[type=checkbox]");
    if (box) box.click();
    else row?.classList.toggle("picked");
  },
  search: () => goTo(document.querySelector("[data-search]")),
  send: () => send(false),
  send_next: () => send(true),
  queue: () => document.querySelector(".brand").click(),
  help: () => sheet?.showModal(),
  palette: () => document.dispatchEvent(new Event("makegood:palette")),
};

export function doAct(name) {
  if (acts[name]) acts[name]();
  else place(name);
}

// What works while somebody types: keys held with Mod or Alt, and leaving the field.
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || composes(event)) return;
  const typing = event.target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  const key = keyOf(event);
  const act = keysOfPage().get(key);
  if (typing) {
    if (key === "Escape" && !document.querySelector("dialog[open]")) typing.blur();
    if (!act || !/^(Mod|Alt)\+|^F\d/.test(key)) return;
  }
  if (!act || event.repeat && !["next", "previous"].includes(act)) return;
  if (document.querySelector("dialog[open]") && !["send", "palette"].includes(act)) return;
  // Enter on a link or button does what it says there.
  if (key === "Enter" && event.target.closest?.("a, button, summary, label, [role=option]") && !event.target.closest("[data-row]")) return;
  if (key === "Enter" && event.target.closest?.("[data-row] :is(button, input, summary)")) return;
  event.preventDefault();
  doAct(act);
});

// The order of the list one came from, so that the next case is the next of that list.
const listed = rows().map((row) => row.querySelector("a[href*='/cases/'], a[href*='/reviews/']")?.getAttribute("href")).filter(Boolean);
if (listed.length) sessionStorage.setItem(LIST, JSON.stringify(listed));
const about = document.querySelector("[data-case-here]");
if (about) {
  const from = JSON.parse(sessionStorage.getItem(LIST) || "[]");
  const at = from.indexOf(about.dataset.caseHere);
  const next = document.querySelector("a[rel=next][data-case]");
  const previous = document.querySelector("a[rel=prev][data-case]");
  if (at >= 0 && next && from[at + 1]) next.href = from[at + 1];
  if (previous) {
    previous.hidden = !(at > 0);
    if (at > 0) previous.href = from[at - 1];
  }
  document.querySelectorAll("input[name=next_case]").forEach((field) => {
    field.value = at >= 0 && from[at + 1] ? from[at + 1].split("/").pop() : "";
  });
}
if (location.hash.startsWith("#key-")) {
  goTo(document.querySelector(`[data-key="${CSS.escape(location.hash.slice(5))}"]`));
}

// On the page of keys: a key pressed in its field writes itself.
document.querySelectorAll("input[data-takes-key]").forEach((field) => {
  field.addEventListener("keydown", (event) => {
    if (composes(event) || ["Tab", "Backspace", "Delete", "Escape"].includes(event.key)) return;
    if (["Shift", "Control", "Meta", "Alt"].includes(event.key) || event.key === " ") return;
    if (event.key.startsWith("Arrow") && !event.ctrlKey && !event.altKey) return;
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    field.value = keyOf(event);
  });
});
