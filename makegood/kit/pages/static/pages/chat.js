// The chat window. What you send has a name of its own and is sent until it is kept; what is said is numbered, and the
// window asks for what comes after the last it has. So nothing is lost or doubled by a reload, two tabs, or a bad network.
"use strict";

const at = document.querySelector("[data-chat]");
const list = document.getElementById("said");
const form = document.getElementById("say");
const field = document.getElementById("words");
const away = document.getElementById("away");
const typed = document.getElementById("typing");
const wordsOf = at.dataset;
const KEY = `makegood-chat:${location.pathname}`;
const embedded = window.parent !== window && location.hash === "#widget"; // opened by the one script, which answers
// Browsers take storage away from a frame of another origin: the page around it keeps what this window must remember.
function keep(kind, value) {
  if (embedded) window.parent.postMessage({ makegood: "keep", kind, value }, "*");
  else try { window[kind].setItem(KEY, value); } catch { /* a private window: this tab alone remembers */ }
}
// Two tabs may begin at once: the secret that is kept first is the secret of both.
let settled = null;
async function keepFirst(secret) {
  if (embedded) {
    const answered = new Promise((resolve) => { settled = resolve; });
    window.parent.postMessage({ makegood: "first", value: secret }, "*");
    return answered;
  }
  const first = () => {
    try {
      if (!localStorage.getItem(KEY)) localStorage.setItem(KEY, secret);
      return localStorage.getItem(KEY);
    } catch { return secret; }
  };
  return navigator.locks ? navigator.locks.request(KEY, first) : first();
}
let visitor = null;
let last = 0;
let unsent = [];
let hearing = null;
let sending = false;
let pause = 500;
const MOST = 200; // what one answer of the server holds
const shown = new Map();

async function call(path, sent) {
  const answer = await fetch(path, {
    method: sent ? "POST" : "GET", credentials: "omit", body: sent ? JSON.stringify(sent) : undefined,
    headers: { "X-Chat-Visitor": visitor || "", ...(sent ? { "Content-Type": "application/json" } : {}) },
  });
  const told = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(told.text), { status: answer.status, told });
  return told;
}

async function ready() {
  if (visitor) return;
  const told = await call("begin", {});
  const first = await keepFirst(told.visitor);
  visitor = visitor || first;
  hear();
}

function show(one) {
  const key = one.client || one.id;
  const item = shown.get(key) || document.createElement("li");
  if (!shown.has(key)) {
    shown.set(key, item);
    const words = document.createElement("p");
    words.textContent = one.body;
    const small = document.createElement("small");
    item.append(words, small);
  }
  item.className = one.mine ? "mine" : one.by;
  item.classList.toggle("unsent", !one.id);
  item.dataset.id = one.id || "";
  item.querySelector("small").textContent = one.id
    ? new Date(one.at).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" }) : wordsOf.sending;
  list.append(item);
  unsent.forEach((waiting) => { if (shown.has(waiting.client)) list.append(shown.get(waiting.client)); });
  list.scrollTop = list.scrollHeight;
}

async function fetchNew() {
  if (!visitor) return;
  const told = await call(`said?after=${last}`);
  for (const one of told.said) {
    if (one.id <= last) continue;
    last = one.id;
    forget(one.client);
    show(one);
  }
  at.classList.toggle("known", told.known);
  if (told.said.length >= MOST) await fetchNew();
}

function forget(client) {
  if (!client) return;
  unsent = unsent.filter((one) => one.client !== client);
  keep("sessionStorage", JSON.stringify(unsent));
}

async function send() {
  if (sending) return;
  sending = true;
  try {
    while (unsent.length) {
      await ready();
      const one = unsent[0];
      try {
        await call("say", { client: one.client, body: one.body });
      } catch (problem) {
        if (!problem.status || problem.status >= 500 || problem.status === 429) throw problem;
        shown.get(one.client)?.classList.add("refused");
      }
      forget(one.client);
      await fetchNew();
    }
    lost(false);
  } catch {
    lost(true);
  } finally {
    sending = false;
  }
}

let retry = 0;
function lost(is) {
  away.hidden = !is;
  clearTimeout(retry);
  if (!is) { pause = 500; return; }
  retry = setTimeout(() => { send(); fetchNew().then(() => { lost(unsent.length > 0); hear(); }, () => lost(true)); }, pause);
  pause = Math.min(8000, pause * 2);
}

let short = 0;
async function hear() {
  if (hearing || !visitor) return;
  hearing = new AbortController();
  const began = Date.now();
  let since = at.dataset.since;
  try {
    const answer = await fetch(`hear?since=${encodeURIComponent(since)}`, {
      headers: { "X-Chat-Visitor": visitor }, credentials: "omit", signal: hearing.signal });
    if (!answer.ok) throw new Error(String(answer.status));
    await fetchNew(); // what was said while nobody listened
    lost(unsent.length > 0);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        for (const line of block.split("\n")) {
          if (line.startsWith("id: ")) at.dataset.since = line.slice(4);
          if (line.startsWith("data: ")) heard(JSON.parse(line.slice(6)));
        }
      }
    }
  } catch { /* cut off: begun again below */ }
  hearing = null;
  short = Date.now() - began < 3000 ? Math.min(5, short + 1) : 0; // a stream that ends at once is asked for ever less often
  // A tab that nobody looks at asks now and then: a browser keeps few connections to a server, for all tabs together.
  setTimeout(() => fetchNew().then(() => { lost(unsent.length > 0); if (document.hidden) again(); else hear(); }, () => lost(true)),
    (500 + Math.random() * 500) * 2 ** short);
}
function again() {
  clearTimeout(resting);
  resting = setTimeout(() => { fetchNew().catch(() => {}); again(); }, 30000);
}
let resting = 0;
document.addEventListener("visibilitychange", () => {
  clearTimeout(resting);
  if (document.hidden) resting = setTimeout(() => { if (hearing) hearing.abort(); else again(); }, 60000);
  else if (visitor) fetchNew().then(hear, () => lost(true));
});

let quiet = 0;
function heard(events) {
  if (events.some((one) => one.kind === "changed" || one.kind === "reset")) {
    typed.hidden = true;
    fetchNew().catch(() => lost(true));
  }
  if (events.some((one) => one.kind === "typing" && one.by === "staff")) {
    typed.hidden = false;
    clearTimeout(quiet);
    quiet = setTimeout(() => { typed.hidden = true; }, 5000);
  }
}

function say(body) {
  const name = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const one = { client: name, body, mine: true };
  unsent.push(one);
  keep("sessionStorage", JSON.stringify(unsent));
  show(one);
  send();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const body = field.value.trim();
  if (!body) return;
  field.value = "";
  say(body);
});
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) {
    event.preventDefault();
    form.requestSubmit();
  }
});
let told = 0;
field.addEventListener("input", () => {
  if (visitor && last && Date.now() - told > 3000) {
    told = Date.now();
    call("typing", {}).catch(() => {});
  }
});

const proof = document.getElementById("proof");
document.getElementById("where").addEventListener("click", () => {
  if (at.classList.contains("known")) say(wordsOf.where);
  else { proof.hidden = !proof.hidden; if (!proof.hidden) proof.querySelector("input").focus(); }
});
proof.addEventListener("submit", async (event) => {
  event.preventDefault();
  const given = Object.fromEntries(new FormData(proof));
  const note = proof.querySelector("[role=status]");
  note.textContent = "";
  try {
    await ready();
    if (document.getElementById("code-step").hidden) {
      const answer = await call("code", given);
      document.getElementById("code-step").hidden = false;
      note.textContent = answer.demo || wordsOf.sent;
    } else {
      await call("prove", given);
      proof.hidden = true;
      proof.reset();
      document.getElementById("code-step").hidden = true;
      await fetchNew();
    }
  } catch (problem) {
    note.textContent = problem.message || wordsOf.lost;
  }
});

function remember(kept) {
  visitor = visitor || kept.localStorage || null;
  try {
    const waiting = JSON.parse(kept.sessionStorage || "[]");
    unsent = [...waiting.filter((one) => !unsent.some((mine) => mine.client === one.client)), ...unsent];
  } catch { /* nothing that was ours */ }
  unsent.forEach(show);
  document.querySelectorAll("[data-when-ready]").forEach((one) => { one.disabled = false; });
  fetchNew().then(() => vouch(kept.user)).then(() => { hear(); send(); }, () => lost(true));
}
// The shop may say who its user is. In a window that was somebody else's, a chat of their own begins.
let vouched = "";
async function vouch(token) {
  if (!token || token === vouched) return;
  vouched = token;
  await ready();
  try {
    const told = await call("vouch", { token });
    if (told.known) at.classList.add("known");
  } catch (problem) {
    if (problem.told?.code === "chat_of_another_customer") await startAnew(token);
    else if (!problem.status || problem.status >= 500) { vouched = ""; throw problem; }
  }
}
async function startAnew(token) {
  keep("localStorage", "");
  hearing?.abort();
  [visitor, last, unsent] = [null, 0, []];
  keep("sessionStorage", "[]");
  shown.clear();
  list.replaceChildren();
  at.classList.remove("known");
  await ready();
  await call("vouch", { token }).then((told) => at.classList.toggle("known", told.known), () => {});
}

window.addEventListener("message", (event) => {
  if (!embedded || event.source !== window.parent) return;
  if (event.data?.makegood === "kept") remember(event.data);
  if (event.data?.makegood === "first") settled?.(String(event.data.value));
});
window.addEventListener("storage", (event) => {
  if (event.key === KEY && event.newValue) remember({ localStorage: event.newValue });
});
window.addEventListener("online", () => lost(true));
if (embedded) window.parent.postMessage({ makegood: "remind" }, "*");
else {
  const kept = {};
  for (const kind of ["localStorage", "sessionStorage"]) try { kept[kind] = window[kind].getItem(KEY); } catch { /* none */ }
  remember(kept);
}
