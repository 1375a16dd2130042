// What JavaScript adds to pages that work without it: previews of chosen files, paste and drop, no double sending.
"use strict";

function showChosen(drop) {
  const input = drop.querySelector("input[type=file]");
  const list = drop.querySelector("[data-chosen]");
  list.replaceChildren();
  Array.from(input.files).forEach((file, index) => {
    const row = document.createElement("li");
    const about = document.createElement("div");
    about.className = "about";
    if (file.type.startsWith("image/") && !/hei[cf]/.test(file.type)) {
      const picture = document.createElement("img");
      picture.src = URL.createObjectURL(file);
      picture.alt = "";
      picture.addEventListener("load", () => URL.revokeObjectURL(picture.src), { once: true });
      row.append(picture);
    } else {
      const page = document.createElement("span");
      page.className = "page";
      page.textContent = file.name.split(".").pop().toUpperCase();
      row.append(page);
    }
    about.textContent = file.name + " ";
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "linkish";
    remove.textContent = drop.dataset.remove;
    remove.addEventListener("click", () => {
      takeFiles(drop, Array.from(input.files).filter((_, i) => i !== index));
      input.focus();
    });
    about.append(remove);
    row.append(about);
    list.append(row);
  });
}

function takeFiles(drop, files) {
  const taken = new DataTransfer();
  files.forEach((file) => taken.items.add(file));
  drop.querySelector("input[type=file]").files = taken.files;
  showChosen(drop);
}

function addFiles(drop, files) {
  takeFiles(drop, [...drop.querySelector("input[type=file]").files, ...files]);
}

document.querySelectorAll("[data-drop]").forEach((drop) => {
  drop.querySelector("input[type=file]").addEventListener("change", () => showChosen(drop));
  drop.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    addFiles(drop, event.dataTransfer.files);
  });
});

document.addEventListener("paste", (event) => {
  const drop = document.querySelector("[data-drop]");
  if (drop && event.clipboardData.files.length) addFiles(drop, event.clipboardData.files);
});

// The second press of an impatient thumb does nothing; a page that comes back from history can be sent again.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
});

document.querySelectorAll("[data-print]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
});
