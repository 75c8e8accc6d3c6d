// The desk without reloads. Every form here works without this file; with it a decided card leaves
// at once, nothing waits for the server, and no other card moves: a card leaves its place empty but
// for a line with "undo", until the next scroll.
//
// It fetches, moves and fills nodes, and never writes markup.

(() => {
  "use strict";

  const LEAVING = 150; // milliseconds
  const SECOND_TAP = 400; // milliseconds in which a second tap is a slip of the finger
  const FINGER = 48; // CSS pixels around a tap in which the next one is the same finger's
  const STILL = 150; // milliseconds without a scroll that end one, where no browser says so
  const PATIENCE = 20_000; // milliseconds; who waits longer has lost the line
  const words = document.body.dataset;
  const list = document.querySelector(".cards");
  const strip = document.querySelector(".strip ul");
  const announcements = document.getElementById("announcements");
  const away = new Map(); // cards that left, by comment: {card, place, gone, leaving}

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

  async function askAt(address, body, isRetry = false) {
    const headers = { Accept: "application/json", "X-CSRFToken": token, "X-Moderator": words.who };
    const signal = AbortSignal.timeout(PATIENCE);
    // keepalive: it arrives even if the page is left.
    const answer = await fetch(address, { method: "POST", body, headers, signal, keepalive: true });
    if (answer.status === 400 && !isRetry && (await renewToken())) return askAt(address, body, true);
    const said = await answer.json().catch(() => ({ error: words.broken }));
    return { ...said, code: answer.status, isDone: answer.ok };
  }

  function ask(form, button) {
    const body = new URLSearchParams(new FormData(form, button));
    body.delete("csrf_token");
    return askAt(form.getAttribute("action"), body); // not form.action: a field may be called so
  }

  // What the server said; without an answer the same, in words of our own.
  const orLost = (asked) => asked.catch(() => ({ error: words.lost, code: 0, isDone: false }));
  const send = (address, body) => orLost(askAt(address, body));
  const post = (form, button) => orLost(ask(form, button));

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
    card.querySelector(".card-alert")?.remove();
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
    count("reported", Boolean(answer.reported) - Boolean(before.reported));
  }

  // Staying where one is

  const cards = () => (list ? [...list.querySelectorAll(".card:not(.is-leaving)")] : []);
  const find = (id) => list?.querySelector(`.card[data-comment-id="${id}"]:not(.is-leaving)`);
  let isByThumb = false; // the last thing pressed was pressed on a screen
  addEventListener("pointerdown", (event) => (isByThumb = event.pointerType !== "mouse"), true);
  addEventListener("keydown", () => (isByThumb = false), true);

  // The part of the window that no bar covers.
  function view() {
    const { scrollPaddingBlockStart, scrollPaddingBlockEnd } = getComputedStyle(document.documentElement);
    return { top: parseFloat(scrollPaddingBlockStart) || 0, bottom: innerHeight - (parseFloat(scrollPaddingBlockEnd) || 0) };
  }

  // Changes something without moving the cards that are read.
  function keepStill(change) {
    const { top } = view();
    const focused = document.activeElement?.closest(".card:not(.is-leaving)");
    const isSeen = (card) => card.getBoundingClientRect().bottom > top;
    const stays = focused && isSeen(focused) ? focused : cards().find(isSeen);
    const before = stays?.getBoundingClientRect().top;
    change();
    if (stays?.isConnected) scrollBy(0, stays.getBoundingClientRect().top - before);
  }

  // Takes the places of decided cards away, but the one whose "undo" has the focus.
  function tidy() {
    const places = [...(list?.querySelectorAll(".gone") ?? [])];
    const empty = places.filter((place) => !place.contains(document.activeElement));
    if (empty.length > 0) keepStill(() => empty.forEach(clear));
  }

  const heirs = new Map(); // cards that stand in for one that left, by its place

  function clear(place) {
    const heir = heirs.get(place);
    heirs.delete(place);
    if (!heir) return place.remove();
    place.replaceWith(heir);
    prepare(heir);
  }

  // A card stands in for one that left, as soon as that moves nothing: with the next scroll. Where
  // nothing can be scrolled, or the place is gone already, it comes last.
  function standIn(id, card) {
    if (away.has(card.dataset.commentId)) return; // decided meanwhile
    const place = list.querySelector(`.gone[data-comment-id="${id}"]`);
    const canWait = document.documentElement.scrollHeight > innerHeight && cards().length > 0;
    if (place && canWait) return heirs.set(place, card);
    list.append(card);
    prepare(card);
    sayWhatIsLeft();
  }

  let stopped;
  function tidySoon() {
    clearTimeout(stopped);
    stopped = setTimeout(tidy, STILL);
  }
  addEventListener("scroll", tidySoon, { passive: true });

  // The focus goes to a card. One that is out of view comes to the top, with what follows it; under
  // a thumb nothing scrolls by itself.
  function show(card) {
    card.focus({ preventScroll: true });
    if (isByThumb) return;
    const { top, bottom } = view();
    const at = card.getBoundingClientRect();
    if (at.top >= top && at.bottom <= bottom) return;
    tidy();
    card.scrollIntoView({ block: at.top < top ? "nearest" : "start" });
  }

  // Leaving and coming back

  function focusAfter(card) {
    const here = [...list.querySelectorAll(".card")];
    const others = here.slice(here.indexOf(card) + 1).concat(here.slice(0, here.indexOf(card)).reverse());
    const next = others.find((other) => !other.classList.contains("is-leaving"));
    if (next) show(next);
  }

  function sayWhatIsLeft() {
    const last = cards().length === 0 ? [...heirs.keys()].filter((place) => place.isConnected) : [];
    last.forEach(clear);
    if (last.length > 0) show(cards()[0]);
    const isEmpty = cards().length === 0;
    const later = document.querySelector(".later a");
    const done = document.getElementById(later ? "page-done" : "nothing");
    done.hidden = !isEmpty;
    list.classList.toggle("is-done", isEmpty); // no card is left that could move
    if (isEmpty) (later || done).focus();
  }

  function undoForm(address, about, said = words.undo) {
    const form = document.createElement("form");
    Object.assign(form, { className: "undo", method: "post" });
    form.setAttribute("action", address);
    const button = document.createElement("button");
    button.className = "plain";
    const hidden = document.createElement("span");
    hidden.className = "visually-hidden";
    hidden.textContent = `: ${about}`;
    button.append(said, hidden);
    form.append(button);
    return form;
  }

  // What stands in a decided card's place, and keeps it: one line.
  function makePlace(card, said) {
    const place = document.createElement("div");
    place.className = "gone";
    Object.assign(place.dataset, { commentId: card.dataset.commentId, status: card.dataset.status });
    place.style.blockSize = `${card.getBoundingClientRect().height}px`;
    const name = card.querySelector(".comment-author").textContent;
    const line = document.createElement("p");
    line.textContent = `${name}: ${said}`;
    place.append(line, undoForm("", line.textContent));
    return place;
  }

  function leave(card, said = "") {
    const id = card.dataset.commentId;
    const place = document.createComment("");
    const gone = makePlace(card, said);
    card.before(place);
    card.classList.add("is-leaving");
    focusAfter(card);
    card.inert = true;
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const leaving = card.animate([{ opacity: 1 }, { opacity: 0 }], isStill ? 0 : LEAVING);
    away.set(id, { card, place, gone, leaving });
    // The end is told late: the card may have come back in between, and may be leaving again.
    const isAway = () => away.get(id)?.leaving === leaving;
    leaving.finished.then(() => isAway() && card.replaceWith(gone), () => {}).then(sayWhatIsLeft);
  }

  function comeBack(card) {
    const { place, gone, leaving } = away.get(card.dataset.commentId);
    away.delete(card.dataset.commentId);
    leaving.cancel();
    card.classList.remove("is-leaving");
    card.inert = false;
    gone.remove();
    place.replaceWith(card);
    sayWhatIsLeft();
  }

  function freshen(card, answer) {
    card.dataset.version = answer.version;
    for (const field of card.querySelectorAll("[name=version]")) field.value = answer.version;
  }

  // The strip of my last decisions: one entry a comment, for only its latest can be undone.
  function note(answer) {
    noteInPlace(answer);
    if (!strip) return;
    for (const old of strip.querySelectorAll(`[data-comment-id="${answer.id}"]`)) old.remove();
    if (!answer.undo) return;
    const entry = document.createElement("li");
    Object.assign(entry.dataset, { commentId: answer.id, status: answer.status });
    for (const word of ["waits", "reported", "undoes"]) if (answer[word]) entry.dataset[word] = "yes";
    const form = undoForm(answer.undo, answer.said, answer.undoes ? words.again : words.undo);
    form.querySelector("button").dataset.key = "z";
    entry.append(link(answer.said, answer.page, false), form);
    strip.prepend(entry);
  }

  function noteInPlace(answer) {
    const gone = away.get(answer.id)?.gone;
    if (!gone) return;
    gone.dataset.status = answer.status;
    for (const word of ["waits", "reported"]) {
      if (answer[word]) gone.dataset[word] = "yes";
      else delete gone.dataset[word];
    }
    gone.querySelector("p").textContent = answer.said;
    if (answer.undo) gone.querySelector("form").setAttribute("action", answer.undo);
    else gone.querySelector("form").remove();
  }

  // Another tab sent what this one kept, or gave it up: the page as it is now tells which.
  let stripAsked = null;
  async function renewStrip({ id }) {
    away.get(id)?.gone.querySelector("form")?.remove();
    if (!strip) return;
    stripAsked ??= new Promise((done) => setTimeout(done, STILL)).then(() => {
      stripAsked = null; // what is forgotten from here on needs another look
      return pageAt(location.href).catch(() => null);
    });
    const page = await stripAsked;
    const found = page?.querySelector(".strip ul");
    if (!found) return;
    strip.replaceChildren(...[...found.children].map((entry) => document.importNode(entry, true)));
    for (const number of page.querySelectorAll(".tabs [data-status] .count")) {
      const shown = document.querySelector(`.tabs [data-status="${number.parentNode.dataset.status}"] .count`);
      shown?.replaceWith(document.importNode(number, true));
    }
    const { card, gone } = away.get(id) ?? {};
    const entry = strip.querySelector(`[data-comment-id="${id}"]`);
    if (entry && gone) {
      Object.assign(gone.dataset, entry.dataset);
      gone.append(entry.querySelector("form").cloneNode(true));
    } else if (card && page.querySelector(`.card[data-comment-id="${id}"][data-version="${card.dataset.version}"]`)) {
      comeBack(card); // it was given up
    }
  }

  // Deciding

  const outbox = words.who && window.desk.outbox({
    who: words.who,
    send: ({ id, action, version, fields }) =>
      send(words.decideAt.replace("ID", id), new URLSearchParams([["action", action], ["version", version], ...fields])),
    settle,
    giveBack,
    forget: renewStrip,
    hide,
    show: showKept,
  });

  function decide(form, button) {
    const card = form.closest(".card");
    const { commentId: id, status, waits, reported } = card.dataset;
    if (away.has(id) || outbox.has(id)) return;
    const named = ["csrf_token", "next", "action", "version"];
    const fields = [...new FormData(form)].filter(([name, value]) => value && !named.includes(name));
    const version = form.querySelector("[name=version]").value;
    card.querySelector(".card-alert")?.remove();
    leave(card, saidBy(form, button.value));
    outbox.add({ id, action: button.value, version, fields, before: { status, waits, reported } });
  }

  // What a decision leaves a comment as, in the word that its button brings along.
  const saidBy = (form, action) => form.querySelector(`[value="${action}"]`)?.dataset.said ?? "";

  function settle({ id, before, isOld }, answer) {
    if (!isOld || away.has(id)) {
      tally(before, answer);
    }
    if (away.has(id)) freshen(away.get(id).card, answer);
    note(answer);
    announce(answer.said);
    if (isOld && find(id)) place(answer);
  }

  // It could not be done: the card comes back with the reason.
  function giveBack({ id, before }, answer) {
    keepStill(() => {
      if (away.has(id)) comeBack(away.get(id).card);
      const card = find(id);
      if (card) {
        complain(card, answer.code === -1 ? { error: words.givenUp } : { error: words.lost, ...answer });
        if (answer.code === 409) overtake(card, before, answer);
      } else refuse(id, answer);
    });
    if (!document.activeElement?.closest(".card")) find(id)?.focus({ preventScroll: true });
  }

  // Somebody else decided first: the card stays to be read, and takes no more decisions.
  function overtake(card, before, answer) {
    card.classList.add("is-overtaken");
    for (const button of card.querySelectorAll("button[name=action]")) button.disabled = true;
    if (answer.status) tally(before, answer);
  }

  // The same for a comment that is not on this page.
  function refuse(id, answer) {
    const said = document.createElement("p");
    said.className = "said";
    said.setAttribute("role", "alert");
    said.append(answer.error || words.lost, " ", link(words.look, words.commentAt.replace("ID", id), false));
    document.getElementById("main").prepend(said);
  }

  // A decision of an earlier page that waits to be sent: its card is away here too.
  function hide({ id, action, version }) {
    const card = find(id);
    const form = card?.querySelector(".decide");
    if (form && card.dataset.version === version) leave(card, saidBy(form, action));
  }

  function showKept(number, why) {
    const bar = document.getElementById("kept");
    bar.hidden = number === 0;
    if (number === 0) return;
    const said = number === 1 ? words.keptOne : words.keptMany;
    const reasons = { 0: words.keptLost, 401: words.keptSignedOut, 403: words.keptOther };
    const text = `${said.replace("NUMBER", number)} ${reasons[why] ?? words.keptBusy}`;
    const shown = bar.querySelector(".kept-said");
    if (shown.textContent !== text) shown.textContent = text;
    bar.querySelector(".kept-sign-in").hidden = why !== 401;
  }

  // Undoing

  const undoing = new Set(); // comments

  async function undo(form, button) {
    const entry = form.closest("[data-comment-id]");
    const id = entry.dataset.commentId;
    if (undoing.has(id)) return;
    undoing.add(id);
    const taken = outbox.has(id) ? await outbox.cancel(id) : undefined;
    if (taken === null) takeBack(id);
    else await undoMade(entry, form, taken ? await send(taken.undo, "") : await post(form, button));
    undoing.delete(id);
  }

  // It was never sent: the card is back as it was.
  function takeBack(id) {
    const card = away.get(id)?.card;
    if (!card) return;
    comeBack(card);
    show(card);
    announce(words.takenBack);
  }

  async function undoMade(entry, form, answer) {
    if (!answer.isDone) {
      announce(answer.error);
      if (answer.code === 409) form.replaceWith(answer.error);
      else if (answer.code === 401) form.replaceWith(link(words.signIn, words.signInAt, true));
      else form.before(answer.error);
      return;
    }
    tally(entry.dataset, answer);
    if (entry.dataset.undoes) answer.undoes = false; // who takes an undo back decides again
    note(answer);
    announce(answer.said);
    await place(answer);
  }

  // A form that leads to another page, or to this one anew: one press is enough.
  function submitOnce(form) {
    if (form.dataset.isSent) return;
    form.dataset.isSent = "yes";
    form.requestSubmit();
  }

  // What I decided last, whether it is sent or not; an undo of mine is no decision to undo.
  function undoLast() {
    const unsent = outbox.latest(undoing);
    const mine = strip ? [...strip.children] : document.querySelectorAll(".history li.is-mine");
    const places = unsent ? [away.get(unsent.id)?.gone].filter(Boolean) : [...mine];
    const form = places
      .filter((entry) => !entry.dataset.undoes && !undoing.has(entry.dataset.commentId))
      .map((entry) => entry.querySelector("form.undo, form.undo-job"))
      .find(Boolean);
    if (form && (!list || form.matches(".undo-job"))) submitOnce(form);
    else if (form) undo(form, form.querySelector("button"));
    else if (unsent) outbox.cancel(unsent.id).then(() => announce(words.takenBack));
    else announce(words.nothingToUndo);
  }

  // Whether a comment belongs in this list. One that left a list of its own kind, like all comments of
  // an address, comes back to it.
  function belongs({ id, status, waits, reported }) {
    const here = list.dataset.status;
    if (here === "reported") return reported;
    if (here === "pending" && waits) return true;
    return status === here || (["every", "mine"].includes(here) && (away.has(id) || Boolean(find(id))));
  }

  // Puts a comment where its new status says: in this list, or out of it.
  async function place(answer) {
    if (!list) return;
    const shown = find(answer.id);
    if (shown && belongs(answer)) return renew(shown, answer);
    if (shown) {
      freshen(shown, answer);
      leave(shown, answer.said);
      noteInPlace(answer);
    }
    if (!belongs(answer)) return;
    const card = away.has(answer.id) ? away.get(answer.id).card : await fetchCard(answer.id);
    if (!card) return;
    if (away.has(answer.id)) comeBack(card);
    freshen(card, answer);
    prepare(card);
    dropTwin(card);
    show(card);
  }

  // A card that stands may have another text now, and other marks. Until they are here it keeps its
  // old version, so that nothing is decided on what was not shown.
  async function renew(card, answer) {
    card.dataset.isBusy = "yes"; // no colleague's news meanwhile
    const site = new URLSearchParams(location.search).get("site") ?? "";
    const asked = new URLSearchParams({ status: list.dataset.status, site });
    const page = await pageAt(`${words.cardAt.replace("ID", answer.id)}&${asked}`).catch(() => null);
    delete card.dataset.isBusy;
    const found = page?.querySelector(".card");
    if (found?.dataset.version !== String(answer.version) || find(answer.id) !== card) return;
    const fresh = document.importNode(found, true);
    const fold = card.querySelector(".fold");
    if (fold) fresh.append(fold);
    keepStill(() => card.replaceWith(fresh));
    prepare(fresh);
    show(fresh);
  }

  // Whoever stood in for a card with others folded into it goes as that one returns.
  function dropTwin(card) {
    const fold = card.querySelector(".fold")?.dataset.fold;
    const twins = cards().filter((other) => other !== card && other.querySelector(".fold")?.dataset.fold === fold);
    if (fold) keepStill(() => twins.forEach((twin) => twin.remove()));
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

  // A note, in a box over the page

  const noting = document.getElementById("noting");

  function openNote(card) {
    const field = noting?.querySelector("textarea") ?? document.querySelector(".note-here textarea");
    if (!noting) return field?.focus();
    const form = noting.querySelector("form");
    form.setAttribute("action", words.noteAt.replace("ID", card.dataset.commentId));
    form.reset();
    noting.querySelector(".note-about").textContent = card.getAttribute("aria-label");
    noting.querySelector(".error").textContent = "";
    noting.showModal();
    field.focus();
  }

  async function keepNote(form, button) {
    const error = form.querySelector(".error");
    const answer = await post(form, button);
    error.textContent = answer.isDone ? "" : answer.error;
    if (!answer.isDone) return;
    noting.close();
    announce(words.noted);
  }

  document.addEventListener("click", (event) => {
    const asked = event.target.closest(".to-note");
    if (asked) {
      event.preventDefault();
      openNote(asked.closest(".card"));
    }
    if (event.target.closest("[data-closes]")) event.target.closest("dialog").close();
  });

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

  const VERBS = { decide, undo, reveal, "keep-note": keepNote };
  let decided = { at: -SECOND_TAP };
  let tapped = { x: 0, y: 0 };

  document.addEventListener("submit", (event) => {
    const verb = VERBS[event.target.className];
    // A single comment's page decides by plain forms: it has a note, and nowhere for a card to go.
    if (!verb || (!list && verb !== reveal)) return;
    event.preventDefault();
    if (verb !== reveal) decided = { at: event.timeStamp, verb, ...tapped };
    verb(event.target, event.submitter);
  });

  // A second tap or click means nothing, whatever came under the finger, or, after a decision, on
  // whichever card it lands; nor does that of a double click. What a key presses has no `detail`.
  document.addEventListener(
    "click",
    (event) => {
      const isSoon = event.detail > 0 && event.timeStamp - decided.at < SECOND_TAP;
      const isNear = Math.hypot(event.clientX - decided.x, event.clientY - decided.y) < FINGER;
      const isDouble = event.detail > 1 && event.target.closest("[name=action], .undo button");
      tapped = { x: event.clientX, y: event.clientY };
      if (!isDouble && !(isSoon && (isNear || (decided.verb === decide && event.target.closest(".cards"))))) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    true,
  );

  // The site is chosen by choosing it; who walks through the choices by keys says when it is the one.
  const sites = document.querySelector(".filter select");
  const shows = document.querySelector(".filter button");
  if (sites) {
    let isByKey = false;
    shows.hidden = true;
    sites.addEventListener("pointerdown", () => (isByKey = false));
    sites.addEventListener("keydown", ({ key }) => (isByKey = key !== "Tab"));
    sites.addEventListener("change", () => {
      if (isByKey) shows.hidden = false;
      else sites.form.requestSubmit();
    });
  }

  document.getElementById("kept")?.addEventListener("click", (event) => {
    if (event.target.matches(".kept-send")) outbox.again();
    if (event.target.matches(".kept-give-up")) outbox.giveUp();
  });

  // For the files beside this one.
  Object.assign(window.desk, {
    ...{ words, ask, send, pageAt, announce, link, complain },
    ...{ cards, find, show, keepStill, leave, comeBack, place, prepare, standIn, freshen, settle: sayWhatIsLeft },
    ...{ note, undoLast, isUnsent: (id) => outbox.has(id) },
  });

  for (const card of document.querySelectorAll(".card")) prepare(card);
  document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  document.getElementById("errors")?.focus();
  outbox?.again?.();
})();
