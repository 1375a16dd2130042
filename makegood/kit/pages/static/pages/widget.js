// One tag in a shop's page: <script src="https://…/chat/widget.js" data-shop="…" defer></script>
// A button and a frame. Styles are set by script, which a strict style policy allows; the page needs script-src and
// frame-src for this origin, and nothing else.
(() => {
  "use strict";
  const me = document.currentScript || document.querySelector("script[data-shop][src*='/chat/widget.js']");
  if (!me || !me.dataset.shop || document.getElementById("makegood-chat")) return;
  const zh = (me.dataset.lang || document.documentElement.lang || navigator.language).toLowerCase().startsWith("zh");
  const address = new URL(`/chat/${encodeURIComponent(me.dataset.shop)}/`, me.src);
  const host = document.createElement("div");
  const button = document.createElement("button");
  const phone = () => window.innerWidth < 480;
  let frame = null;
  host.id = "makegood-chat";
  Object.assign(host.style, { position: "fixed", insetInlineEnd: "16px", insetBlockEnd: "16px", zIndex: "2147483000" });
  button.type = "button";
  button.textContent = zh ? "联系客服" : "Chat with us";
  button.setAttribute("aria-expanded", "false");
  Object.assign(button.style, {
    font: "600 15px/1.2 system-ui, sans-serif", color: "#fffdf8", background: "#a92d1c", border: "0", borderRadius: "24px",
    padding: "14px 20px", cursor: "pointer", boxShadow: "0 4px 16px rgb(0 0 0 / .25)",
  });
  function place() {
    Object.assign(frame.style, phone()
      ? { position: "fixed", inset: "0 0 72px 0", width: "100%", height: "calc(100% - 72px)", borderRadius: "0" }
      : { position: "static", width: "380px", height: "min(560px, calc(100vh - 110px))", borderRadius: "12px" });
  }
  button.addEventListener("click", () => {
    if (!frame) {
      frame = document.createElement("iframe");
      frame.title = zh ? "在线客服" : "Chat";
      frame.src = `${address.href}#widget`;
      Object.assign(frame.style, { display: "block", border: "0", marginBlockEnd: "10px", background: "#fffdf8", boxShadow: "0 8px 32px rgb(0 0 0 / .28)" });
      place();
      window.addEventListener("resize", place);
      host.prepend(frame);
    } else {
      frame.hidden = !frame.hidden;
      frame.style.display = frame.hidden ? "none" : "block";
    }
    button.setAttribute("aria-expanded", String(!frame.hidden));
    button.textContent = frame.hidden ? (zh ? "联系客服" : "Chat with us") : (zh ? "收起" : "Close");
  });
  // The frame may not keep anything where other origins are shut out; this page is asked to, in its own storage.
  const KEY = `makegood-chat:${me.dataset.shop}`;
  const read = (kind) => { try { return window[kind].getItem(KEY); } catch { return null; } };
  const remind = () => frame?.contentWindow?.postMessage(
    { makegood: "kept", localStorage: read("localStorage"), sessionStorage: read("sessionStorage"), user: me.dataset.user || "" },
    address.origin);
  window.addEventListener("message", (event) => {
    if (!frame || event.source !== frame.contentWindow || event.origin !== address.origin) return;
    const { makegood, kind, value } = event.data || {};
    if (makegood === "remind") remind();
    if (makegood === "first") {
      const answer = (kept) => frame.contentWindow?.postMessage({ makegood, value: kept }, address.origin);
      if (navigator.locks) navigator.locks.request(KEY, () => answer(first(String(value)))); else answer(first(String(value)));
    }
    if (makegood === "keep" && ["localStorage", "sessionStorage"].includes(kind)) {
      try { window[kind].setItem(KEY, String(value)); } catch { /* a private window */ }
    }
  });
  // Two tabs may begin at once: what is kept first is the secret of both.
  const first = (value) => {
    try {
      if (!localStorage.getItem(KEY)) localStorage.setItem(KEY, value);
      return localStorage.getItem(KEY);
    } catch { return value; }
  };
  window.addEventListener("storage", (event) => { if (event.key === KEY) remind(); });
  Object.assign(host.style, { display: "grid", justifyItems: "end" });
  host.append(button);
  const put = () => document.body.append(host);
  if (document.body) put(); else document.addEventListener("DOMContentLoaded", put);
})();
