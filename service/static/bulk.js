// Many at once. In the queue: counts what is picked, and keeps its bar out of the way until something
// is. On a job's page: shows how far it is. Both work without this file.

(() => {
  "use strict";

  const POLL = 500; // milliseconds
  const TRIES = 6; // for a card whose decision is still on its way
  const form = document.getElementById("bulk");
  const job = document.querySelector(".job[data-running]");

  // The queue

  function watchPicks() {
    const scope = form.elements.scope;
    const shown = form.querySelector(".bulk-count");
    const boxes = () => [...document.querySelectorAll(".card:not(.is-leaving) .pick")];
    let before = null; // the box that was clicked last: shift picks all from there

    function count() {
      const picked = boxes().filter((box) => box.checked).length;
      const number = picked.toLocaleString(document.documentElement.lang);
      shown.value = picked ? form.dataset.some.replace("#", number) : form.dataset.none;
      shown.hidden = scope.value !== "picked";
      form.classList.toggle("is-active", picked > 0 || scope.value === "matching");
      for (const card of document.querySelectorAll(".card")) {
        card.classList.toggle("is-picked", Boolean(card.querySelector(".pick:checked")));
      }
    }

    function pickBetween(one, other) {
      const all = boxes();
      const [from, to] = [all.indexOf(one), all.indexOf(other)].sort((a, b) => a - b);
      for (const box of all.slice(from, to + 1)) box.checked = other.checked;
    }

    document.addEventListener("click", (event) => {
      if (!event.target.matches(".pick")) return;
      if (event.shiftKey && before?.isConnected) pickBetween(before, event.target);
      before = event.target;
      count();
    });
    document.addEventListener("change", (event) => {
      if (event.target === scope && scope.value === "page") {
        for (const box of boxes()) box.checked = true;
        scope.value = "picked";
      } else if (event.target === scope && scope.value === "matching") {
        for (const box of boxes()) box.checked = false;
      } else if (event.target.matches(".pick") && event.target.checked) {
        scope.value = "picked";
      }
      count();
    });
    // What was undone, or changed in place, has another version than when the page was made.
    form.addEventListener("submit", () => {
      for (const box of boxes()) {
        const card = box.closest(".card");
        box.value = `${card.dataset.commentId}:${card.dataset.version}`;
      }
    });
    const list = document.querySelector(".cards");
    new MutationObserver(count).observe(list, { childList: true });
    form.classList.add("is-scripted");
    count();
  }

  // Folds

  async function pageAt(address) {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  }

  async function showAlike(details) {
    const place = details.querySelector("p");
    if (!place || details.dataset.isAsked) return;
    details.dataset.isAsked = "yes";
    const page = await pageAt(details.dataset.from).catch(() => null);
    const found = page?.querySelector("#alike");
    delete details.dataset.isAsked; // without an answer the link stays
    if (found) place.replaceWith(...[...found.children].map((node) => document.importNode(node, true)));
  }

  // Whoever stood for others was decided alone: the next of them takes the place.
  async function standIn(fold, goneId) {
    for (let tries = 0; tries < TRIES; tries += 1) {
      await new Promise((done) => setTimeout(done, POLL));
      if (document.querySelector(`.card .fold[data-fold="${CSS.escape(fold)}"]`)) return; // it came back
      if (window.desk.isUnsent(goneId)) continue; // the fold would be as large as before
      const page = await pageAt(location.href).catch(() => null);
      const same = (card) => card.querySelector(".fold")?.dataset.fold === fold;
      const card = [...(page?.querySelectorAll(".card") || [])].find(same);
      if (!page || card?.dataset.commentId === goneId) continue;
      if (!card || document.getElementById(card.id)) return;
      return window.desk.standIn(goneId, document.importNode(card, true));
    }
  }

  function watchFolds() {
    document.addEventListener(
      "toggle",
      (event) => event.target.matches?.(".fold-list[open]") && showAlike(event.target),
      true,
    );
    const list = document.querySelector(".cards");
    if (!list) return;
    new MutationObserver((changes) => {
      for (const change of changes) {
        if (![...change.addedNodes].some((node) => node.matches?.(".gone"))) continue; // not decided
        for (const node of change.removedNodes) {
          const fold = node.querySelector?.(".fold");
          if (fold) standIn(fold.dataset.fold, node.dataset.commentId);
        }
      }
    }).observe(list, { childList: true });
  }

  // A job

  async function watchJob() {
    const bar = job.querySelector("progress");
    const seen = job.querySelector(".job-seen");
    const said = job.querySelector(".job-said");
    const answer = await fetch(job.dataset.job, { headers: { Accept: "application/json" } });
    if (answer.status === 401) return location.reload(); // signed out: the page says where to
    const now = await answer.json();
    bar.max = Math.max(now.total, 1);
    bar.value = now.done + now.skipped;
    seen.textContent = now.seen;
    if (now.state !== "running" || now.is_dead) return location.reload();
    said.textContent = now.said;
    setTimeout(keepWatching, POLL);
  }

  const keepWatching = () => watchJob().catch(() => setTimeout(keepWatching, POLL * 4));

  if (form) watchPicks();
  watchFolds();
  if (job) setTimeout(keepWatching, POLL);
})();
