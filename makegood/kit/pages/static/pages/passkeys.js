// Making and using passkeys: the browser signs what the server asked, the form carries it back.
"use strict";

async function askBrowser(form) {
  const token = form.querySelector("input[name=csrfmiddlewaretoken]").value;
  const answer = await fetch(form.dataset.options, { method: "POST", headers: { "X-CSRFToken": token }, credentials: "same-origin" });
  if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
  const { publicKey } = await answer.json();
  if (form.dataset.passkey === "create") {
    return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) });
  }
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.addEventListener("submit", async (event) => {
    const signed = form.querySelector("input[name=passkey]");
    if (signed.value) return;
    event.preventDefault();
    const told = form.querySelector("[data-told]");
    told.hidden = true;
    try {
      signed.value = JSON.stringify((await askBrowser(form)).toJSON());
      form.submit();
    } catch {
      told.textContent = form.dataset.failed;
      told.hidden = false;
    }
  });
}
