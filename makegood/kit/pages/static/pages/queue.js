// Ticks of the queue counted, and the progress of a bulk looked at again. Both pages work without it.
const boxes = () => Array.from(document.querySelectorAll('input[name="case"][form="bulk"]'));
const all = document.querySelector("[data-pick-all]");
const fold = document.querySelector("[data-bulk]");
let opened = false;
const told = document.querySelector("[data-picked]");

function count() {
  const picked = boxes().filter((box) => box.checked).length;
  if (told) told.textContent = picked ? String(picked) : "";
  if (picked && fold && !opened) fold.open = opened = true;
  if (all) {
    all.checked = picked > 0 && picked === boxes().length;
    all.indeterminate = picked > 0 && !all.checked;
  }
}

if (all) {
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes()) box.checked = all.checked;
    count();
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches('input[name="case"]')) count();
  });
  count();
}

async function look() {
  const place = document.getElementById("progress");
  if (place?.dataset.state !== "running") return;
  const answer = await fetch("?part=1", { headers: { Accept: "text/html" } });
  const page = await answer.text();
  if (answer.ok && page.includes('id="progress"')) {
    const made = new DOMParser().parseFromString(page, "text/html").getElementById("progress");
    place.replaceWith(made);
    if (made.dataset.state !== "running") {
      window.location.reload();
      return;
    }
  }
  setTimeout(look, 1500);
}
if (document.getElementById("progress")) setTimeout(look, 800);
