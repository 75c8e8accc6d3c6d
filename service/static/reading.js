// What only some readers do: open more of a thread, like a comment. Both work without this file, as a
// link and as a form.

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
