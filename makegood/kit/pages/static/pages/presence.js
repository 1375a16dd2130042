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
  document.addEventListener("makegood:live", beat);
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
  document.addEventListener("makegood:live", look);
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

// Snippets: /name and Tab or Enter in the reply box puts its words in, to be edited before they are sent.
const box = document.querySelector("textarea[data-snippets]");
const snippets = Array.from(document.querySelectorAll("#snippets option"));
if (box && snippets.length) {
  const menu = document.createElement("ul");
  menu.className = "snippets";
  menu.hidden = true;
  box.after(menu);
  let fits = [];
  const typed = () => /(?:^|\s)\/(\S{0,30})$/.exec(box.value.slice(0, box.selectionStart));
  const put = (one) => {
    const at = box.selectionStart;
    const from = at - typed()[1].length - 1;
    box.setRangeText(one.dataset.words, from, at, "end");
    menu.hidden = true;
    box.dispatchEvent(new Event("input"));
    box.focus();
  };
  box.addEventListener("input", (event) => {
    if (event.isComposing) return;
    const wanted = typed();
    fits = wanted ? snippets.filter((one) => one.value.toLowerCase().includes(wanted[1].toLowerCase())).slice(0, 6) : [];
    menu.hidden = !fits.length;
    menu.replaceChildren(...fits.map((one) => {
      const row = document.createElement("li");
      row.textContent = one.value;
      row.addEventListener("mousedown", (pressed) => {
        pressed.preventDefault();
        put(one);
      });
      return row;
    }));
  });
  box.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229 || menu.hidden) return;
    if (event.key === "Escape") menu.hidden = true;
    else if ((event.key === "Tab" || event.key === "Enter") && !event.ctrlKey && !event.metaKey) put(fits[0]);
    else return;
    event.preventDefault();
  });
}
