// Colleagues at the same desk: who has which card open, what they decided, what came in since.
// One small request at a time, while the page is looked at. Without this file nothing is lost: a
// decision that comes too late is refused by the server, which tells what happened.

(() => {
  "use strict";

  const { desk } = window;
  const words = document.body.dataset;
  const here = document.getElementById("together")?.dataset;
  const list = document.querySelector(".cards");
  const news = document.querySelector(".news");
  const button = news?.querySelector(".news-show");
  if (!desk || !here || !document.querySelector(".card, .cards")) return;

  const BEAT = Number(here.beat); // milliseconds
  const SOON = Math.min(2000, BEAT); // between two that are not waited for
  const LONGEST = 300000;
  const MOST = 100; // cards in a request, and new comments that are shown by one press
  const isPlain = Boolean(news?.dataset.plain); // what is new in a search, nobody counts

  let timer = 0;
  let began = -Infinity; // when the last request began
  let wait = BEAT;
  let isAsking = false;
  let isWanted = false; // something changed while a request was on its way
  let wantsCounts = false;
  let told = ""; // the card that the server knows to be before me
  let recent = null; // the card that had the focus last
  let offered = 0;

  // Asking

  const cards = () => [...document.querySelectorAll(".card:not(.is-leaving)")];

  function focused() {
    const card = document.activeElement?.closest(".card:not(.is-leaving)");
    return card || (list ? null : document.querySelector(".card"));
  }

  // Of a page that has grown very long, those around the focus.
  function near() {
    const all = cards();
    const start = Math.max(0, all.indexOf(focused()) - MOST / 2);
    return all.slice(start, start + MOST);
  }

  function send(address, fields) {
    const form = document.createElement("form");
    form.setAttribute("action", address);
    for (const [name, value] of fields) {
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name, value });
      form.append(field);
    }
    return desk.ask(form).catch(() => ({ error: words.lost, code: 0, isDone: false }));
  }

  const listed = () => [
    ["status", news.dataset.status],
    ["site", news.dataset.site],
    ["since", news.dataset.since],
  ];

  async function beat() {
    clearTimeout(timer);
    if (document.hidden) return;
    if (isAsking) return void (isWanted = true);
    const shown = near();
    const versions = new Map(shown.map((card) => [card.dataset.commentId, card.dataset.version]));
    const focus = focused()?.dataset.commentId || "";
    const fields = [...versions].map(([id, version]) => ["card", `${id}:${version}`]);
    fields.push(["focus", focus], ["left", told === focus ? "" : told]);
    if (isPlain) fields.push(...listed());
    if (wantsCounts) fields.push(["counts", "1"]);
    isAsking = true;
    isWanted = wantsCounts = false;
    began = performance.now();
    const answer = await send(here.at, fields);
    isAsking = false;
    if (answer.code === 401) return signedOut();
    if (answer.isDone) {
      told = focus;
      wait = BEAT;
      still(() => tell(answer, versions));
    } else {
      wait = Math.min(wait * 2, LONGEST);
      still(() => cards().forEach((card) => say(card, "open", ""))); // nobody knows any more
    }
    timer = setTimeout(beat, wait);
    if (isWanted) soon();
  }

  // Sooner than the next one is due, but never in a rush, and not while the server is in trouble.
  function soon() {
    if (isAsking) return void (isWanted = true);
    if (wait > BEAT || document.hidden) return;
    clearTimeout(timer);
    timer = setTimeout(beat, Math.max(0, began + SOON - performance.now()));
  }

  function signedOut() {
    wait = LONGEST; // until somebody comes back to this tab
    for (const card of cards()) say(card, "open", "");
    if (!news || news.querySelector(".news-said")) return;
    const said = document.createElement("p");
    said.className = "news-said";
    said.append(here.signedOut, " ", desk.link(words.signIn, words.signInAt, true));
    still(() => {
      present(false);
      document.documentElement.classList.add("has-news");
      news.append(said);
    });
    desk.announce(here.signedOut);
  }

  // Telling

  // What changes above the card that is being read moves the page under it, not the card.
  function still(change) {
    const isSeen = (card) => {
      const { top, bottom } = card.getBoundingClientRect();
      return bottom > 60 && top < innerHeight;
    };
    const held = [focused(), ...cards()].find((card) => card && isSeen(card));
    const before = held?.getBoundingClientRect().top;
    change();
    const moved = held?.isConnected ? held.getBoundingClientRect().top - before : 0;
    if (moved) scrollBy({ top: moved, behavior: "instant" });
  }

  function say(card, what, said) {
    const line = card.querySelector(`.colleague-${what}`);
    if (line && line.textContent !== said) line.textContent = said;
  }

  function tell(answer, versions) {
    news?.querySelector(".news-said")?.remove();
    for (const card of cards()) {
      const id = card.dataset.commentId;
      // Not what was asked about any more: I have decided on it meanwhile.
      if (versions.get(id) !== card.dataset.version || card.dataset.isBusy) continue;
      say(card, "open", answer.open[id] || "");
      say(card, "left", answer.left[id] || "");
      if (!answer.left[id]) card.querySelector(".take-back")?.remove();
      if (answer.changed[id]) change(card, answer.changed[id]);
    }
    const isQuiet = !document.querySelector(".card.is-leaving, .card[data-is-busy]");
    if (isQuiet && answer.counts) for (const [word, number] of Object.entries(answer.counts)) count(word, number);
    const mine = document.querySelector('.tabs [data-status="mine"]');
    if (mine) {
      mine.hidden = answer.mine.count === 0 && !mine.hasAttribute("aria-current");
      count("mine", answer.mine);
    }
    if (button) offer(answer);
  }

  function count(word, { count, shown }) {
    const number = document.querySelector(`.tabs [data-status="${word}"] .count`);
    if (number) Object.assign(number, { textContent: shown }).dataset.count = count;
  }

  // What a colleague did

  function change(card, made) {
    const { status, waits, reported } = card.dataset;
    const isSame = made.status === status && made.waits === Boolean(waits);
    const isHere = isSame && (list?.dataset.status !== "reported" || made.reported === Boolean(reported));
    if (isHere) revive(card, made);
    else overtake(card, made);
  }

  // It dims where it stands, takes no more decisions, and keeps the focus if it had it.
  function overtake(card, made) {
    const isNew = !card.classList.contains("is-overtaken");
    card.classList.add("is-overtaken");
    if (deciding(card).includes(document.activeElement)) card.focus({ preventScroll: true });
    for (const pressed of deciding(card)) pressed.disabled = true;
    const line = lineOf(card);
    // One that was told already, as its answer to my own decision, is not told twice.
    const isTold = Boolean(card.querySelector(".card-alert"));
    const said = isTold ? [] : [made.said, " ", desk.link(words.look, card.querySelector(".permalink").href, false)];
    if (made.undo) said.push(" ", undoing(card, made));
    if (!line.contains(document.activeElement)) line.replaceChildren(...said);
    if (isNew && card.contains(document.activeElement)) desk.announce(made.said);
  }

  // The buttons that decide, wherever on the card they stand.
  const deciding = (card) =>
    [...(card.querySelector(".decide")?.elements ?? [])].filter((element) => element.matches("button"));

  function lineOf(card) {
    const known = card.querySelector(".overtaken");
    if (known) return known;
    const line = document.createElement("p");
    line.className = "overtaken";
    line.dir = "auto";
    card.querySelector(".colleague").append(line);
    return line;
  }

  function undoing(card, made) {
    const pressed = document.createElement("button");
    const about = document.createElement("span");
    Object.assign(pressed, { type: "button", className: "plain" });
    Object.assign(about, { className: "visually-hidden", textContent: `: ${made.said}` });
    pressed.append(words.undo, about);
    pressed.addEventListener("click", () => undo(card, made));
    return pressed;
  }

  async function undo(card, made) {
    if (card.dataset.isBusy) return;
    card.dataset.isBusy = "yes";
    card.querySelector(".card-alert")?.remove();
    const answer = await send(made.undo, []);
    delete card.dataset.isBusy;
    if (!answer.isDone) return desk.complain(card, answer);
    if (list) desk.note(answer);
    desk.announce(answer.said);
    card.focus({ preventScroll: true });
    wantsCounts = true;
    change(card, { ...answer, waits: Boolean(answer.waits), reported: true, said: "", undo: null });
    soon();
  }

  // It stands again where it stood, maybe with other words: those are fetched before it goes live.
  async function revive(card, made) {
    const page = await desk.pageAt(card.querySelector(".permalink").href).catch(() => null);
    const fresh = page?.querySelector(".card");
    if (fresh?.dataset.version !== String(made.version) || !card.isConnected) return; // the next time
    still(() => {
      const text = card.querySelector(".card-text");
      if (text.contains(document.activeElement)) card.focus({ preventScroll: true });
      text.replaceWith(document.importNode(fresh.querySelector(".card-text"), true));
      desk.prepare(card);
      desk.freshen(card, made);
      card.classList.remove("is-overtaken");
      card.querySelector(".card-alert")?.remove();
      for (const pressed of deciding(card)) pressed.disabled = false;
      lineOf(card).textContent = made.said;
    });
    if (made.said && card.contains(document.activeElement)) desk.announce(made.said);
  }

  // Asking colleagues

  async function handOver(form, pressed) {
    if (form.dataset.isBusy) return;
    form.dataset.isBusy = "yes";
    const card = form.closest(".card");
    card.querySelector(".card-alert")?.remove();
    const answer = await desk.ask(form, pressed).catch(() => ({ error: words.lost, code: 0 }));
    delete form.dataset.isBusy;
    if (!answer.isDone) return desk.complain(card, answer);
    for (const open of card.querySelectorAll("details[open]")) open.open = !open.contains(form);
    if (form.matches(".handover")) form.reset();
    desk.announce(answer.said);
    const page = await desk.pageAt(card.querySelector(".permalink").href).catch(() => null);
    const fresh = page?.querySelector(".colleague");
    if (fresh) still(() => card.querySelector(".colleague").replaceWith(document.importNode(fresh, true)));
    card.focus({ preventScroll: true });
    soon();
  }

  document.addEventListener("submit", (event) => {
    if (!list || !event.target.matches(".card :is(.handover, .take-back)")) return;
    event.preventDefault();
    handOver(event.target, event.submitter);
  });

  // What came in

  function present(isNew) {
    button.hidden = !isNew;
    document.documentElement.classList.toggle("has-news", isNew);
  }

  function offer(answer) {
    button.textContent = answer.news;
    present(answer.new > 0);
    if (answer.new > offered) desk.announce(answer.news);
    offered = answer.new;
  }

  async function show() {
    if (offered > MOST) return location.reload();
    const asked = new URLSearchParams(listed());
    for (const card of near()) asked.append("card", card.dataset.commentId);
    const page = await desk.pageAt(`${news.dataset.at}?${asked}`).catch(() => null);
    const since = page?.querySelector(".news")?.dataset.since;
    if (!since) return desk.announce(words.lost);
    const fresh = [...page.querySelectorAll(".card")].filter((card) => !document.getElementById(card.id));
    const added = fresh.map((card) => document.importNode(card, true));
    still(() => {
      added.forEach(place);
      added.forEach(desk.prepare);
      present(false);
    });
    Object.assign(news.dataset, { since });
    offered = 0;
    desk.settle();
    const goal = recent?.isConnected ? recent : added[0];
    goal?.focus({ preventScroll: true });
    desk.announce(here.added);
    wantsCounts = true;
    soon();
  }

  // Where its time puts it; where the list is in another order, at the end.
  function place(card) {
    const at = (other) => other.querySelector(".permalink time").dateTime;
    const isLater = {
      oldest: (other) => at(other) > at(card),
      newest: (other) => at(other) < at(card),
    }[news.dataset.sort];
    const isByTime = isLater && list.dataset.status !== "reported";
    list.insertBefore(card, (isByTime && [...list.querySelectorAll(".card")].find(isLater)) || null);
  }

  button?.addEventListener("click", show);

  // When

  document.addEventListener("focusin", (event) => {
    const card = event.target.closest(".card");
    if (card) recent = card;
    if ((card?.dataset.commentId || "") !== told) soon();
  });

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) {
      if (told) send(here.at, [["left", told]]); // nobody looks at it here any more
      told = "";
      return;
    }
    wait = BEAT;
    soon();
  });

  if (list) timer = setTimeout(beat, BEAT);
  else beat();
})();
