// Passkeys: asks the browser for a key and puts its answer into a form, which is then sent as any other.
// The forms are hidden until here, since nothing but script can ask.

(() => {
  "use strict";

  if (!window.PublicKeyCredential || !navigator.credentials) return;

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));

  function text(buffer) {
    const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
    return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  // JSON knows no bytes, so they travel as base64url.
  function decoded(options) {
    const known = (list) => (list || []).map((key) => ({ ...key, id: bytes(key.id) }));
    const made = { ...options, challenge: bytes(options.challenge) };
    if (options.user) made.user = { ...options.user, id: bytes(options.user.id) };
    if (options.excludeCredentials) made.excludeCredentials = known(options.excludeCredentials);
    if (options.allowCredentials) made.allowCredentials = known(options.allowCredentials);
    return made;
  }

  function encoded(credential) {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = text(credential.response[name]);
    }
    return JSON.stringify({
      id: credential.id,
      rawId: text(credential.rawId),
      type: credential.type,
      response,
      clientExtensionResults: credential.getClientExtensionResults(),
    });
  }

  async function asked(form) {
    const token = form.querySelector("[name=csrf_token]").value;
    const answer = await fetch(form.dataset.options, {
      method: "POST",
      headers: { Accept: "application/json", "X-CSRFToken": token },
    });
    if (!answer.ok) throw new Error((await answer.json()).error);
    return { publicKey: decoded(await answer.json()) };
  }

  async function sign(form) {
    const kind = form.dataset.passkey;
    const credential = await navigator.credentials[kind](await asked(form));
    form.querySelector("[name=credential]").value = encoded(credential);
    form.submit();
  }

  for (const form of document.querySelectorAll("[data-passkey]")) {
    const complaint = form.querySelector("[aria-live]");
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      complaint.textContent = "";
      const button = form.querySelector("button");
      button.disabled = true;
      // Browsers do not say why nothing came of it: that too would tell pages about people.
      await sign(form).catch(() => (complaint.textContent = form.dataset.failed));
      button.disabled = false;
    });
  }
})();
