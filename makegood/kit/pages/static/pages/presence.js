// Who else is on a case: said by an open page every ten seconds, shown there and in lists. And replies on their way.
const EVERY = 10_000;
const place = document.getElementById("presence");
const form = document.getElementById("reply")?.form;

async function tell(doing) {
  const said = new FormData();
  said.append("csrfmiddlewaretoken", form.querySelector("[name=csrfmiddlewaretoken]").value);
  said.append("doing", doing);
  said.append("seen", place.dataset.seen);
  if (doing === "gone") return navigator.sendBeacon(place.dataset.url, said);
  const answer = await fetch(place.dataset.url, { method: "POST", body: said }).catch(() => null);
  if (!answer?.ok || answer.redirected) return null;
  const told = await answer.json();
  place.textContent = told.people;
  place.hidden = !told.people;
  place.classList.toggle("replying", told.replying);
  const newer = document.getElementById("newer");
  newer.hidden = !told.newer;
  newer.querySelector("b").textContent = told.newer;
  return null;
}

if (place && form) {
  const field = document.getElementById("reply");
  const doing = () => (field.value.trim() ? "replying" : "viewing");
  let last = doing();
  const beat = () => document.visibilityState === "visible" && tell((last = doing()));
  beat();
  setInterval(beat, EVERY);
  field.addEventListener("input", () => doing() !== last && beat());
  document.addEventListener("visibilitychange", beat);
  document.addEventListener("makegood:changed", beat);
  window.addEventListener("pagehide", () => tell("gone"));
}

const url = document.getElementById("palette")?.dataset.presence;
const rows = () => Array.from(document.querySelectorAll("[data-row] a.ref[href*='/cases/']"));
async function look() {
  if (document.visibilityState !== "visible" || !rows().length) return;
  const refs = rows().map((link) => link.textContent.trim());
  const answer = await fetch(`${url}?refs=${refs.join(",")}`).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const { cases } = await answer.json();
  rows().forEach((link) => {
    const who = cases[link.textContent.trim()];
    let mark = link.parentElement.querySelector(".presence");
    if (!who) return mark?.remove();
    if (!mark) {
      mark = document.createElement("span");
      mark.className = "presence";
      link.after(" ", mark);
    }
    mark.textContent = who.people;
    return mark.classList.toggle("replying", who.replying);
  });
}
if (url && rows().length) {
  look();
  setInterval(look, EVERY);
  document.addEventListener("makegood:changed", look);
}

// How long a reply can still be taken back; then the page shows it sent.
document.querySelectorAll(".outgoing[data-due]").forEach((box) => {
  const count = () => {
    const left = Math.ceil((new Date(box.dataset.due) - Date.now()) / 1000);
    box.querySelector("[data-seconds]").textContent = `${Math.max(0, left)} s`;
    if (left < 0) {
      clearInterval(ticking);
      box.remove();
    }
  };
  const ticking = setInterval(count, 500);
  count();
});
