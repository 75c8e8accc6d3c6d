// The desk without reloads. Every form here works without this file; with it a decided card leaves
// at once, and comes back with the reason if the decision could not be made.
//
// It fetches, moves and fills nodes, and never writes markup.

(() => {
  "use strict";

  const LEAVING = 150; // milliseconds
  const words = document.body.dataset;
  const list = document.querySelector(".cards");
  const strip = document.querySelector(".strip ul");
  const announcements = document.getElementById("announcements");
  const away = new Map(); // cards that left, by comment: {card, place, leaving}

  // Asking

  let token = document.querySelector("meta[name=csrf-token]").content;

  async function pageAt(address) {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  }

  // A page that was open for long, or over another sign-in, has a token that is refused once.
  async function renewToken() {
    const fresh = (await pageAt(location.href)).querySelector("meta[name=csrf-token]");
    const isNew = Boolean(fresh) && fresh.content !== token;
    if (isNew) token = fresh.content;
    return isNew;
  }

  async function ask(form, button, isRetry = false) {
    const body = new URLSearchParams(new FormData(form, button));
    const headers = { Accept: "application/json", "X-CSRFToken": token };
    body.delete("csrf_token");
    // Not form.action: a field may be called so. keepalive: it arrives even if the page is left.
    const address = form.getAttribute("action");
    const answer = await fetch(address, { method: "POST", body, headers, keepalive: true });
    if (answer.status === 400 && !isRetry && (await renewToken())) return ask(form, button, true);
    const said = await answer.json().catch(() => ({ error: words.broken }));
    return { ...said, code: answer.status, isDone: answer.ok };
  }

  // What the server said; without an answer the same, in words of our own.
  const post = (form, button) =>
    ask(form, button).catch(() => ({ error: words.lost, code: 0, isDone: false }));

  // Saying

  function announce(said) {
    announcements.textContent = "";
    setTimeout(() => (announcements.textContent = said), 50);
  }

  function link(text, address, isNewTab) {
    const made = document.createElement("a");
    made.textContent = text;
    made.href = address;
    if (isNewTab) Object.assign(made, { target: "_blank", rel: "noopener" });
    return made;
  }

  function complain(card, answer) {
    const alert = document.createElement("p");
    alert.className = "card-alert";
    alert.setAttribute("role", "alert");
    if (answer.code === 401) {
      alert.append(words.signedOut, " ", link(words.signIn, words.signInAt, true));
    } else {
      alert.append(answer.error || words.broken);
    }
    if (answer.code === 409) {
      alert.append(" ", link(words.look, card.querySelector(".permalink").href, false));
    }
    card.append(alert);
  }

  // The tabs' numbers. What the server did not count out ("1,000+") stays as it is.
  function count(status, change) {
    const shown = document.querySelector(`.tabs [data-status="${status}"] .count`);
    if (!shown || change === 0 || Number(shown.dataset.count) > 1000) return;
    shown.dataset.count = Number(shown.dataset.count) + change;
    const number = Math.max(0, Number(shown.dataset.count));
    shown.textContent = number.toLocaleString(document.documentElement.lang);
  }

  function move(from, to) {
    if (from === to) return;
    count(from, -1);
    count(to, 1);
  }

  // A published comment with a waiting edit stands, and counts, among the pending ones too.
  function tally(before, answer) {
    move(before.status, answer.status);
    count("pending", Boolean(answer.waits) - Boolean(before.waits));
  }

  // Leaving and coming back

  const cards = () => [...list.querySelectorAll(".card:not(.is-leaving)")];

  function focusAfter(card) {
    const here = [...list.querySelectorAll(".card")];
    const others = here.slice(here.indexOf(card) + 1).concat(here.slice(0, here.indexOf(card)).reverse());
    const next = others.find((other) => !other.classList.contains("is-leaving"));
    if (next) next.focus();
    return Boolean(next);
  }

  function sayWhatIsLeft() {
    const isEmpty = cards().length === 0;
    const later = document.querySelector(".later a");
    const done = document.getElementById(later ? "page-done" : "nothing");
    done.hidden = !isEmpty;
    if (isEmpty) (later || done).focus();
  }

  function leave(card) {
    const place = document.createComment("");
    card.before(place);
    card.classList.add("is-leaving");
    focusAfter(card);
    card.inert = true;
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const gone = { opacity: 0, blockSize: 0, paddingBlock: 0, marginBlock: 0, borderWidth: 0 };
    const full = { opacity: 1, blockSize: `${card.offsetHeight}px` };
    const leaving = card.animate([full, { ...full, opacity: 0, offset: 0.6 }, gone], isStill ? 0 : LEAVING);
    away.set(card.dataset.commentId, { card, place, leaving });
    // The end is told late: the card may have come back in between, and may be leaving again.
    const isAway = () => away.get(card.dataset.commentId)?.leaving === leaving;
    leaving.finished.then(() => isAway() && card.remove(), () => {}).then(sayWhatIsLeft);
  }

  function comeBack(card) {
    const { place, leaving } = away.get(card.dataset.commentId);
    away.delete(card.dataset.commentId);
    leaving.cancel();
    card.classList.remove("is-leaving");
    card.inert = false;
    place.replaceWith(card);
    sayWhatIsLeft();
  }

  function freshen(card, answer) {
    card.dataset.version = answer.version;
    for (const field of card.querySelectorAll("[name=version]")) field.value = answer.version;
  }

  // The strip of my last decisions: one entry a comment, for only its latest can be undone.
  function note(answer) {
    for (const old of strip.querySelectorAll(`[data-comment-id="${answer.id}"]`)) old.remove();
    if (!answer.undo) return;
    const entry = document.createElement("li");
    Object.assign(entry.dataset, { commentId: answer.id, status: answer.status });
    if (answer.waits) entry.dataset.waits = "yes";
    const form = document.createElement("form");
    Object.assign(form, { className: "undo", method: "post" });
    form.setAttribute("action", answer.undo);
    const button = document.createElement("button");
    button.className = "plain";
    const about = document.createElement("span");
    about.className = "visually-hidden";
    about.textContent = `: ${answer.said}`;
    button.append(words.undo, about);
    form.append(button);
    entry.append(link(answer.said, answer.page, false), form);
    strip.prepend(entry);
  }

  // Deciding

  async function decide(form, button) {
    const card = form.closest(".card");
    if (card.dataset.isBusy) return;
    card.dataset.isBusy = "yes";
    card.querySelector(".card-alert")?.remove();
    const asked = post(form, button); // reads the form before the card is inert
    leave(card);
    const answer = await asked;
    delete card.dataset.isBusy;
    if (answer.isDone) {
      tally(card.dataset, answer);
      if (card.dataset.reported && answer.status !== "pending") count("reported", -1);
      freshen(card, answer);
      note(answer);
      announce(answer.said);
      return;
    }
    comeBack(card);
    complain(card, answer);
    if (answer.code === 409) overtake(card, answer);
  }

  // Somebody else decided first: the card stays to be read, and takes no more decisions.
  function overtake(card, answer) {
    card.classList.add("is-overtaken");
    for (const button of card.querySelectorAll(".decide button")) button.disabled = true;
    if (answer.status) tally(card.dataset, answer);
  }

  async function undo(form, button) {
    if (form.dataset.isBusy) return;
    form.dataset.isBusy = "yes";
    const entry = form.closest("li");
    const answer = await post(form, button);
    delete form.dataset.isBusy;
    if (!answer.isDone) {
      announce(answer.error);
      if (answer.code === 409) form.replaceWith(answer.error);
      else if (answer.code === 401) form.replaceWith(link(words.signIn, words.signInAt, true));
      else form.before(answer.error);
      return;
    }
    tally(entry.dataset, answer);
    note(answer);
    announce(answer.said);
    await place(answer);
  }

  // Puts a comment where its new status says: in this list, or out of it.
  async function place(answer) {
    const isMine = answer.status === list.dataset.status || (answer.waits && list.dataset.status === "pending");
    const shown = list.querySelector(`[data-comment-id="${answer.id}"]:not(.is-leaving)`);
    if (shown) {
      freshen(shown, answer);
      if (!isMine) leave(shown);
      return;
    }
    if (!isMine) return;
    const card = away.has(answer.id) ? away.get(answer.id).card : await fetchCard(answer.id);
    if (!card) return;
    if (away.has(answer.id)) comeBack(card);
    freshen(card, answer);
    prepare(card);
    card.focus();
  }

  // A card that was decided before this page was loaded: the page, as it is now, has it.
  async function fetchCard(id) {
    const page = await pageAt(location.href).catch(() => null);
    const found = page?.querySelector(`.card[data-comment-id="${id}"]`);
    if (!found) return null;
    const after = [...page.querySelectorAll(".card")].slice([...page.querySelectorAll(".card")].indexOf(found) + 1);
    const next = after.map((card) => document.getElementById(card.id)).find(Boolean);
    const card = document.importNode(found, true);
    list.insertBefore(card, next || null);
    sayWhatIsLeft();
    return card;
  }

  async function reveal(form, button) {
    if (form.dataset.isBusy) return;
    form.dataset.isBusy = "yes";
    const card = form.closest(".card");
    card.querySelector(".card-alert")?.remove();
    const answer = await post(form, button);
    delete form.dataset.isBusy;
    if (!answer.isDone) return complain(card, answer);
    const email = form.querySelector(".email");
    email.textContent = answer.email;
    email.tabIndex = -1;
    form.replaceWith(email);
    email.focus();
    announce(words.revealed);
  }

  // What a card gets by script

  function fold(body) {
    body.classList.add("is-folded");
    if (body.scrollHeight <= body.clientHeight + 4) return body.classList.remove("is-folded");
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "plain unfold", textContent: words.unfold });
    button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", () => {
      const isFolded = body.classList.toggle("is-folded");
      button.textContent = isFolded ? words.unfold : words.fold;
      button.setAttribute("aria-expanded", String(!isFolded));
    });
    body.after(button);
  }

  function prepare(card) {
    const bodies = card.querySelectorAll(".comment-body"); // two where an edit waits
    for (const found of card.querySelectorAll(".comment-body a")) {
      found.target = "_blank"; // the queue stays open; rel is noopener already
      if ([found.href, found.getAttribute("href")].includes(found.textContent.trim())) found.classList.add("says-where");
    }
    if (list && !card.querySelector(".unfold")) bodies.forEach(fold);
  }

  const VERBS = { decide, undo, reveal };

  document.addEventListener("submit", (event) => {
    const verb = VERBS[event.target.className];
    // A single comment's page decides by plain forms: it has a note, and nowhere for a card to go.
    if (!verb || (!list && verb !== reveal)) return;
    event.preventDefault();
    verb(event.target, event.submitter);
  });

  // The second click of a double click may land on the card that moved up: it means nothing.
  document.addEventListener(
    "click",
    (event) => {
      if (event.detail > 1 && event.target.closest(".decide button, .undo button")) event.preventDefault();
    },
    true,
  );

  for (const card of document.querySelectorAll(".card")) prepare(card);
  document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  document.getElementById("errors")?.focus();
})();
