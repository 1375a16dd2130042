// Keeps an open page true: hears what happened and fetches the parts anew that show it. Without it the page still works.
"use strict";

const place = document.querySelector("[data-live]");
const HIDDEN_MS = 30000; // a browser holds few connections to one host: a tab nobody looks at gives its own back
let stream = null;
let since = place ? place.dataset.liveSince : "";
let waiting = 0;
let hiding = 0;

function hears(channel) {
  return place.dataset.liveHears.split(" ").some((one) => one === channel || (one.endsWith("*") && channel.startsWith(one.slice(0, -1))));
}

function open() {
  if (stream || !window.EventSource) return;
  const url = new URL(place.dataset.live, location.href);
  if (since) url.searchParams.set("since", since);
  stream = new EventSource(url);
  stream.addEventListener("message", (event) => {
    since = event.lastEventId || since;
    hear(JSON.parse(event.data));
  });
  stream.addEventListener("error", () => {
    // Refused for good, such as after signing out: the next page says why. A lost connection is tried again by itself.
    if (stream && stream.readyState === EventSource.CLOSED) close();
  });
}

function close() {
  stream?.close();
  stream = null;
}

function hear(events) {
  let changed = false;
  for (const one of events) {
    if (one.kind === "end") close();
    document.dispatchEvent(new CustomEvent("makegood:live", { detail: one }));
    if (one.kind === "reset" || (one.kind === "changed" && hears(one.channel))) changed = true;
  }
  if (changed && !waiting) waiting = setTimeout(refresh, 150 + Math.random() * 250);
}

function isBusy(part) {
  if (part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select")) return true;
  return Array.from(part.querySelectorAll("input, textarea")).some((field) =>
    field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked
      : field.type !== "hidden" && field.value !== field.defaultValue);
}

// What scripts of the page put into a part by themselves is not the server's, and no change.
function told(part) {
  const copy = part.cloneNode(true);
  copy.querySelectorAll("[data-live-own]").forEach((one) => one.replaceChildren());
  return copy.textContent;
}

async function refresh() {
  waiting = 0;
  if (document.hidden) {
    stale = true;
    return;
  }
  const answer = await fetch(location.href, { headers: { "X-Live": "1" }, credentials: "same-origin" }).catch(() => null);
  if (!answer || !answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  let left = false;
  for (const part of document.querySelectorAll("[data-live-part]")) {
    const next = fresh.getElementById(part.id);
    if (!next) { left = true; continue; }
    if (part.isEqualNode(next) || told(part) === told(next)) continue;
    if (isBusy(part)) { left = true; continue; }
    const opened = Array.from(part.querySelectorAll("details")).map((one) => one.open);
    const kept = document.importNode(next, true);
    kept.querySelectorAll("details").forEach((one, n) => { one.open = opened[n] ?? one.open; });
    kept.classList.add("just-changed");
    part.replaceWith(kept);
    document.dispatchEvent(new CustomEvent("makegood:replaced", { detail: kept }));
  }
  const outside = document.querySelector("[data-live-shape]");
  if (outside && outside.dataset.liveShape !== fresh.querySelector("[data-live-shape]")?.dataset.liveShape) left = true;
  place.hidden = !left;
}

let stale = false;
if (place) {
  open();
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiding);
    if (document.hidden) {
      hiding = setTimeout(close, HIDDEN_MS);
    } else {
      open();
      if (stale) refresh();
      stale = false;
    }
  });
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => { if (event.persisted) open(); });
}
