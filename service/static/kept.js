// Decisions on their way to the server, one after the other: nobody waits for them, and none is
// lost with the line, the session or the page. What got no answer is kept on this service's own
// origin, apart for each moderator, and sent again: at most once in effect, since each names the
// version that it was made on.
//
// Kept are the comment's id, the decision, the version and the time: no word, no address, no token.

(() => {
  "use strict";

  window.desk = {}; // what the desk's scripts have for each other

  window.desk.outbox = ({ who, send, settle, giveBack, forget, hide, show }) => {
    const FIRST_WAIT = 1_000; // milliseconds; each wait after is twice as long
    const LONGEST_WAIT = 60_000;
    const MOST_TRIES = 3; // with a server that says that it broke: then a person has to look
    const LATER = [0, 401, 403, 408, 429, 500, 502, 503, 504]; // not a no: the same may work later
    const PREFIX = `rejoinder-kept:${who}:`;
    const kept = new Map(); // by comment, oldest first
    const SIGN_IN = [401, 403]; // the same person has to be signed in again; waiting is no use
    let flying = null; // the one whose answer is awaited: {decision, answer}
    let isBusy = false;
    let why = 0; // the code of what went wrong last
    let wait = FIRST_WAIT;
    let timer;

    // Storage may be full, or forbidden: then they are kept as long as the page.
    function store(change) {
      try {
        change(localStorage);
      } catch {
        // see above
      }
    }

    function write({ id, action, version, at, before, fields }) {
      if (fields.length > 0) return; // words of a person's own, which stay in the page
      const value = JSON.stringify({ id, action, version, at, before });
      store((storage) => storage.setItem(PREFIX + id, value));
    }

    function read() {
      const found = [];
      store((storage) => {
        for (const key of Object.keys(storage)) {
          if (key.startsWith(PREFIX)) found.push(JSON.parse(storage.getItem(key)));
        }
      });
      return found.sort((one, other) => one.at - other.at);
    }

    function drop({ id }) {
      kept.delete(id);
      store((storage) => storage.removeItem(PREFIX + id));
    }

    // Those of an earlier page, or of another tab that was closed in between.
    function load() {
      const fresh = read().filter(({ id }) => !kept.has(id));
      for (const decision of fresh) kept.set(decision.id, { before: {}, ...decision, fields: [], tries: 0, isOld: true });
      return fresh.map(({ id }) => kept.get(id));
    }

    const hasFailed = () => [...kept.values()].some((decision) => decision.tries > 0);
    const tell = () => show(hasFailed() ? kept.size : 0, why);

    function mayWait(answer, decision) {
      return LATER.includes(answer.code) && !(answer.code === 500 && decision.tries >= MOST_TRIES - 1);
    }

    // Gives whether the others may try too.
    function take(decision, answer) {
      if (kept.get(decision.id) !== decision) return true; // taken back in between
      if (mayWait(answer, decision)) {
        Object.assign(decision, { tries: decision.tries + 1, code: answer.code });
        why = answer.code;
        return why === 500;
      }
      drop(decision);
      if (answer.isDone) settle(decision, answer);
      else giveBack(decision, answer);
      return true;
    }

    async function sendAll() {
      const tried = new Set();
      const next = () => [...kept.values()].find((decision) => !tried.has(decision));
      for (let decision = next(), goesOn = true; decision && goesOn; decision = next()) {
        tried.add(decision);
        flying = { decision, answer: send(decision) };
        const answer = await flying.answer;
        flying = null;
        goesOn = take(decision, answer);
        tell();
      }
    }

    async function pump() {
      if (isBusy) return;
      isBusy = true;
      clearTimeout(timer);
      try {
        await sendAll();
      } finally {
        isBusy = false;
      }
      if (!hasFailed()) wait = FIRST_WAIT;
      else if (!SIGN_IN.includes(why)) {
        timer = setTimeout(pump, wait);
        wait = Math.min(wait * 2, LONGEST_WAIT);
      }
    }

    function add(decision) {
      const added = { ...decision, at: performance.timeOrigin + performance.now(), tries: 0 };
      kept.set(added.id, added);
      write(added);
      tell();
      pump();
    }

    // Takes one back. Gives the server's answer if it was made in spite of that, else nothing.
    async function cancel(id) {
      const decision = kept.get(id);
      if (flying?.decision === decision) {
        const answer = await flying.answer;
        if (answer.isDone) return answer;
      }
      if (kept.get(id) === decision) drop(decision);
      tell();
      return null;
    }

    function giveUp() {
      for (const decision of [...kept.values()]) {
        if (flying?.decision === decision) continue;
        drop(decision);
        giveBack(decision, { code: decision.code ?? -1, isDone: false });
      }
      tell();
    }

    function again() {
      for (const decision of load()) hide(decision);
      tell();
      pump();
    }

    addEventListener("online", again);
    addEventListener("focus", again);
    addEventListener("pageshow", again);
    document.addEventListener("visibilitychange", () => document.hidden || again());
    // What waits in line leaves with the page; the next page hears what became of it.
    addEventListener("pagehide", () => {
      if (!isBusy) return;
      for (const decision of kept.values()) if (flying?.decision !== decision) send(decision);
    });
    // Another tab sent one, or gave it up.
    addEventListener("storage", ({ key, newValue }) => {
      const decision = key?.startsWith(PREFIX) && newValue === null && kept.get(key.slice(PREFIX.length));
      if (!decision || flying?.decision === decision) return;
      kept.delete(decision.id);
      forget(decision);
      tell();
    });

    return {
      add,
      cancel,
      giveUp,
      again,
      has: (id) => kept.has(id),
      latest: (but) => [...kept.values()].filter(({ id }) => !but.has(id)).pop(),
    };
  };
})();
