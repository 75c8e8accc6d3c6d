// What only some readers do: open more of a thread, like a comment, write while a wave of comments comes
// in. All of it works without this file.

const $ = (selector, within = document) => within.querySelector(selector);

// More of the thread in place. Takes the link to it and thread.js's tools; raises what `fetch` does.
export async function more(link, { relate, attend }) {
  const list = link.closest(".replies, .comments");
  const same = list.matches(".replies") ? `#${list.parentElement.id} > .replies` : ".comments";
  const answer = await fetch(link.href, { credentials: "omit" });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = [...$(same, page).children].filter((part) => !$("[rel=prev]", part));
  link.parentElement.replaceWith(...fresh.filter(({ id }) => !id || !document.getElementById(id)));
  relate();
  attend(fresh.find((part) => part.isConnected));
  $("[role=status]").textContent = $(".comments", page).dataset.shown;
}

// Takes a comment's button; its number is shown beside it, or what went wrong.
export async function like(button) {
  const { likes, error } = await fetch(button.formAction, {
    method: "POST",
    headers: { Accept: "application/json" },
    body: new URLSearchParams(new FormData(button.form)),
    credentials: "omit",
  }).then((answer) => answer.json()).catch(() => ({}));
  const shown = button.nextElementSibling;
  shown.hidden = false;
  shown.lastElementChild.textContent = likes ?? error ?? button.form.dataset.lost;
  if (likes) button.setAttribute("aria-pressed", "true");
}

const AT_ONCE = 512; // so that the page stays its reader's: digests are made beside it

// Finds the number that the form's token asks for: SHA-256 of "TOKEN.NUMBER" begins with so many zero
// bits. Nobody waits for it; where it cannot be done the form goes without.
export async function work([form, bits]) {
  const { token, work } = form.elements;
  const asked = token.value;
  const letters = new TextEncoder();
  const digest = (number) => crypto.subtle.digest("SHA-256", letters.encode(`${asked}.${number}`));
  work.value = "";
  for (let first = 0; crypto.subtle && token.value === asked; first += AT_ONCE) {
    const made = await Promise.all(Array.from({ length: AT_ONCE }, (_, at) => digest(first + at)));
    const at = made.findIndex((bytes) => Math.clz32(new DataView(bytes).getUint32()) >= bits);
    if (at < 0) continue;
    if (token.value === asked) work.value = first + at;
    return;
  }
}
