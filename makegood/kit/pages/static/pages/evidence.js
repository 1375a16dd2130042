// Looking closely at pictures: zoom and move by button and key. Both panes move together, to compare.
import { composes } from "./keys.js";

const sights = Array.from(document.querySelectorAll(".sight img"));
let zoom = 1;

function show() {
  sights.forEach((picture) => {
    picture.style.width = `${zoom * 100}%`;
    picture.style.maxHeight = zoom === 1 ? "" : "none";
  });
}

function by(step) {
  zoom = step === 0 ? 1 : Math.max(1, Math.min(8, zoom * (step > 0 ? 1.5 : 1 / 1.5)));
  show();
}

const move = (x, y) => document.querySelectorAll(".sight").forEach((sight) => sight.scrollBy({ left: x, top: y }));

document.querySelectorAll("[data-zoom]").forEach((bar) => {
  bar.hidden = false;
  bar.addEventListener("click", (event) => {
    const step = event.target.closest("[data-by]")?.dataset.by;
    if (step !== undefined) by(Number(step));
  });
});

const acts = {
  "+": () => by(1),
  "=": () => by(1),
  "-": () => by(-1),
  0: () => by(0),
  ArrowLeft: () => move(-120, 0),
  ArrowRight: () => move(120, 0),
  ArrowUp: () => move(0, -120),
  ArrowDown: () => move(0, 120),
  j: () => document.querySelector("a[rel=next][data-file]")?.click(),
  k: () => document.querySelector("a[rel=prev][data-file]")?.click(),
  Escape: () => document.querySelector("[data-back]").click(),
};
document.addEventListener("keydown", (event) => {
  if (composes(event) || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input, select, textarea")) return;
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  act();
}, true);
