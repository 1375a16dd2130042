// Choosing files by camera, drop or paste with previews; sending them with progress, and again where that fails.
// Without this the same form sends the same files.

function inputOf(drop) {
  return drop.querySelector("input[type=file][name]");
}

function describe(drop, file, index) {
  const row = document.createElement("li");
  if (file.type.startsWith("image/") && !/hei[cf]/.test(file.type)) {
    const picture = document.createElement("img");
    picture.src = URL.createObjectURL(file);
    picture.alt = "";
    picture.addEventListener("load", () => URL.revokeObjectURL(picture.src), { once: true });
    row.append(picture);
  } else {
    const page = document.createElement("span");
    page.className = "page";
    page.textContent = file.name.split(".").pop().toUpperCase().slice(0, 5);
    row.append(page);
  }
  const about = document.createElement("div");
  about.className = "about";
  const name = document.createElement("span");
  name.textContent = file.name;
  const remove = document.createElement("button");
  remove.type = "button";
  remove.className = "button small";
  remove.textContent = drop.dataset.remove;
  remove.setAttribute("aria-label", `${drop.dataset.remove}: ${file.name}`);
  remove.addEventListener("click", () => {
    take(drop, [...inputOf(drop).files].filter((_, i) => i !== index));
    (drop.querySelectorAll("[data-chosen] button")[index] || inputOf(drop)).focus();
  });
  about.append(name, remove);
  row.append(about);
  return row;
}

function show(drop) {
  const files = [...inputOf(drop).files];
  drop.querySelector("[data-chosen]").replaceChildren(...files.map((file, i) => describe(drop, file, i)));
}

function take(drop, files) {
  const most = Number(drop.dataset.most);
  const taken = new DataTransfer();
  const refused = files.filter((file) => file.size > most);
  files.filter((file) => file.size <= most).forEach((file) => taken.items.add(file));
  inputOf(drop).files = taken.files;
  drop.querySelector("[data-told]").textContent = refused.map((file) => `${file.name}: ${drop.dataset.tooLarge}`).join(" · ");
  show(drop);
}

// What was chosen before stays: a second choice adds to it.
const kept = new WeakMap();
function add(drop, files) {
  const known = new Set((kept.get(drop) || []).map((file) => `${file.name}/${file.size}/${file.lastModified}`));
  const fresh = files.filter((file) => !known.has(`${file.name}/${file.size}/${file.lastModified}`));
  take(drop, [...(kept.get(drop) || []), ...fresh]);
}

let recent = null;
document.querySelectorAll("[data-drop]").forEach((drop) => {
  const input = inputOf(drop);
  const camera = drop.querySelector("input[capture]");
  drop.classList.add("helped");
  input.classList.add("vh");
  drop.querySelector(".pick").hidden = false;
  camera.disabled = false;
  if (input.files.length) take(drop, [...input.files]); // chosen while this was still loading
  input.addEventListener("click", () => kept.set(drop, [...input.files]));
  input.addEventListener("change", () => add(drop, [...input.files]));
  camera.addEventListener("change", () => {
    kept.set(drop, [...input.files]);
    add(drop, [...camera.files]);
    camera.value = "";
  });
  drop.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    kept.set(drop, [...input.files]);
    add(drop, [...event.dataTransfer.files]);
  });
  drop.closest("form").addEventListener("focusin", () => (recent = drop));
});

document.addEventListener("paste", (event) => {
  const drop = recent || document.querySelector("[data-drop]");
  if (!drop || !event.clipboardData.files.length) return;
  event.preventDefault();
  kept.set(drop, [...inputOf(drop).files]);
  add(drop, [...event.clipboardData.files]);
});

// A form that is watched is sent from here, so that its files show how far they are and nothing is lost when it fails.
function send(form, submitter) {
  const sending = form.querySelector("[data-sending]");
  const bar = sending.querySelector("progress");
  const state = sending.querySelector("[data-state]");
  const again = sending.querySelector("[data-again]");
  const body = new FormData(form, submitter);
  const request = new XMLHttpRequest();
  const fail = (words) => {
    state.textContent = words;
    bar.hidden = true;
    again.hidden = false;
    delete form.dataset.sent;
  };
  sending.hidden = false;
  bar.hidden = false;
  again.hidden = true;
  again.onclick = () => send(form, submitter);
  form.dataset.sent = "yes";
  request.upload.addEventListener("progress", (event) => {
    const percent = Math.floor((100 * event.loaded) / Math.max(event.total, 1));
    bar.value = percent;
    state.textContent = percent < 100 ? `${sending.dataset.sent} ${percent} %` : sending.dataset.checking;
  });
  request.addEventListener("error", () => fail(sending.dataset.lost));
  request.addEventListener("timeout", () => fail(sending.dataset.lost));
  request.addEventListener("load", () => {
    const next = request.getResponseHeader("X-Go-To");
    if (request.status === 204 && next) {
      window.location.assign(next);
      return;
    }
    const told = new DOMParser().parseFromString(request.responseText, "text/html").querySelector("#refusal");
    fail(told ? told.textContent : sending.dataset.lost);
  });
  request.open("POST", form.action);
  request.timeout = 180000;
  request.setRequestHeader("X-Watched", "yes");
  request.send(body);
}

document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (!form.matches("[data-watched]") || form.dataset.sent) return;
    if (!form.querySelector("input[type=file][name]").files.length) return;
    if (event.submitter && event.submitter.hasAttribute("formnovalidate")) return;
    event.preventDefault();
    event.stopPropagation();
    send(form, event.submitter);
  },
  true,
);
