// One key a decision. The map that people read is views/keys.py's; this is what the keys do.
// All of them are dead in a field, in a box, with Ctrl, Alt or the like, and for whoever switched
// them off (WCAG 2.1.4).

(() => {
  "use strict";

  const CHORD = 2_000; // milliseconds that "g" waits for its second letter
  const FIELDS = "input:not([type=checkbox]), textarea, select, [contenteditable]:not([contenteditable=false]), [role=textbox]";
  const LISTS = { p: "pending", a: "approved", r: "rejected", s: "spam", d: "deleted", o: "reported" };
  const { desk } = window;
  const map = document.getElementById("keys");
  let chordUntil = 0;

  // Cards

  // A page about one comment has one card, and it is meant.
  function chosen() {
    const all = [...document.querySelectorAll(".card:not(.is-leaving)")];
    const focused = document.activeElement?.closest(".card:not(.is-leaving)");
    return focused ?? (document.querySelector(".cards") ? null : all.length === 1 ? all[0] : null);
  }

  // Where no card has the focus, a key only shows which one would be meant.
  function withCard(act) {
    const card = chosen();
    if (card) return act(card);
    const first = desk.cards().find((other) => other.getBoundingClientRect().bottom > 0);
    if (!first) return;
    goTo(first);
    desk.announce(desk.words.choose);
  }

  function goTo(card) {
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest" }); // clear of the bars: html has a scroll-padding
  }

  function step(by) {
    const cards = desk.cards();
    const at = cards.indexOf(chosen());
    const first = cards.findIndex((card) => card.getBoundingClientRect().bottom > 0);
    const next = at < 0 ? cards[Math.max(first, 0)] : cards[at + by];
    if (next) goTo(next);
  }

  // What has a key is pressed: the first that is seen, or one that stands behind "More".
  function press(key) {
    return () =>
      withCard((card) => {
        const found = [...card.querySelectorAll(`[data-key="${key}"]`)].filter((node) => !node.closest("[hidden]"));
        (found.find((node) => node.checkVisibility()) ?? found[0])?.click();
      });
  }

  function select() {
    withCard((card) => {
      const pick = card.querySelector(".pick");
      (pick?.matches("input") ? pick : (pick?.querySelector("input") ?? pick))?.click();
    });
  }

  // Pages

  function search() {
    const field = document.getElementById("search") ?? document.querySelector("input[type=search]");
    field?.closest("details:not([open])")?.setAttribute("open", "");
    field?.focus();
  }

  function open(letter) {
    const status = LISTS[letter];
    if (!status) return;
    const tab = document.querySelector(`.tabs [data-status="${status}"]`);
    if (tab) tab.click();
    else location.assign(`${desk.words.queueAt}?status=${status}`);
  }

  function showMap() {
    map?.showModal();
    map?.querySelector("h2").focus();
  }

  const KEYS = {
    j: () => step(1),
    k: () => step(-1),
    a: press("a"),
    r: press("r"),
    s: press("s"),
    d: press("d"),
    e: press("e"),
    c: press("c"),
    n: press("n"),
    x: select,
    z: desk.undoLast,
    "/": search,
    "?": showMap,
    g: () => (chordUntil = performance.now() + CHORD),
  };
  const MOVES = ["j", "k"]; // the only ones that a held key repeats

  // The letter on the key; where a keyboard has no Latin letters, the key in its place.
  function letter(event) {
    const typed = event.key.toLowerCase();
    if (typed.length !== 1 || typed <= "~") return typed;
    if (event.code === "Slash") return event.shiftKey ? "?" : "/";
    return /^Key[A-Z]$/.test(event.code) ? event.code.slice(3).toLowerCase() : typed;
  }

  function isDead(event) {
    return (
      event.defaultPrevented ||
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      event.isComposing ||
      event.target.closest?.(FIELDS) ||
      document.querySelector("dialog[open]")
    );
  }

  document.addEventListener("keydown", (event) => {
    if (desk.words.keys !== "on" || isDead(event)) return;
    const key = letter(event);
    if (event.shiftKey && /^[a-z]$/.test(key)) return;
    if (key === "shift") return;
    const isSecond = performance.now() < chordUntil;
    chordUntil = 0;
    if (isSecond) open(key);
    else if (!Object.hasOwn(KEYS, key)) return;
    else if (!event.repeat || MOVES.includes(key)) KEYS[key]();
    event.preventDefault(); // the letter belongs in no field that has the focus now
  });

  document.querySelector(".keys-open")?.addEventListener("click", (event) => {
    if (!map || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    showMap();
  });
})();
