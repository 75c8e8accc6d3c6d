// What stands behind a card's "More" closes as menus do: by Escape, which gives the focus back, and by
// a press anywhere else. Without this file its own word closes it.

(() => {
  "use strict";

  const open = () => document.querySelector(".more[open]");

  document.addEventListener("keydown", (event) => {
    const more = open();
    if (event.key !== "Escape" || !more) return;
    if (more.contains(document.activeElement)) more.querySelector("summary").focus();
    more.open = false;
  });

  // Only where it lies over other cards: on a phone, closing it would move what is being pressed.
  document.addEventListener("pointerdown", (event) => {
    const more = open();
    if (!more || more.contains(event.target)) return;
    if (getComputedStyle(more.querySelector(".more-panel")).position === "absolute") more.open = false;
  });
})();
