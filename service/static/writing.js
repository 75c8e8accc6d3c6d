// The form made nicer still, fetched when somebody begins to write: sending without a reload, a preview,
// buttons and keys for Markdown, a counter near the limit, and a name that is kept for next time.

const TIMEOUT = 30_000; // milliseconds
const KEYS = { b: "bold", i: "italic", k: "link" };
const MARKS = { bold: "**", italic: "*", code: "`" };
const SPEAK_AFTER = 1_000; // milliseconds without a key stroke

const $ = (selector, within = document) => within.querySelector(selector);

// Takes thread.js's form, the key of what is kept of a person, and its tools. Gives `press`, which does
// what one of the form's buttons says.
export function start({ form, person, keep, recall, reveal, freshen, posted, showErrors }) {
  const words = form.dataset;
  let isBusy = false;
  const area = form.elements.comment;
  const { content } = $("#reply-tools");
  const [toolbar, counter, counted, saved] = document.importNode(content, true).children;
  area.before(toolbar);
  area.after(counter, counted);
  $(".reply-send", form).before(saved);
  useTools(area, toolbar);
  countCharacters(area, counter, counted);
  savePerson(form, $("input", saved), person, keep, recall);
  const author = person.replace(" person", ".author"); // what a confirmed link left: proof of who writes
  form.addEventListener("click", (event) => {
    if (!event.target.closest(".edit-link")) return;
    event.preventDefault();
    close();
    area.focus();
  });
  area.addEventListener("input", close); // another text is another preview

  function close() {
    $("#reply-preview")?.remove();
  }

  // Raises what `fetch` does, and an error with `wait` for an answer that is not ours.
  async function preview(button) {
    const answer = await fetch(button.formAction, {
      method: "POST",
      headers: { Accept: "text/html" },
      body: new URLSearchParams(new FormData(form)),
      credentials: "omit",
      signal: AbortSignal.timeout(TIMEOUT),
    });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const token = $("#reply [name=token]", page);
    if (token) form.elements.token.value = token.value;
    const made = $("#reply-preview", page);
    if (made) return show(document.importNode(made, true));
    const said = $("#reply-errors > p + p, .rejoinder h1 + p", page)?.textContent;
    const error = $("#reply-comment-error", page)?.lastChild.data;
    if (!said && !error) throw Object.assign(new Error(), { wait: answer.headers.get("Retry-After") });
    return showErrors(error ? { comment: [error] } : {}, said, answer.status >= 429 && button);
  }

  function show(made) {
    showErrors({}, ""); // what is still missing is said when it is posted
    $(".reply-send", form).before(made);
    made.focus({ preventScroll: true });
    reveal(made);
  }

  async function send(button) {
    const answer = await fetch(form.action, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams(new FormData(form)),
      credentials: "omit",
      signal: AbortSignal.timeout(TIMEOUT),
    });
    const told = await answer.json()
      .catch((error) => { throw Object.assign(error, { wait: answer.headers.get("Retry-After") }); });
    if (told.token) form.elements.token.value = told.token;
    if (answer.status === 201) {
      await posted(new URL(told.receipt).pathname);
      form.elements.consent?.click(); // ticked for one
      if (told.follow) (await import("./wished.js" + new URL(import.meta.url).search)).say(form, told);
    } else showErrors(told.errors ?? {}, told.error ?? "", answer.status >= 429 && button);
  }

  async function press(button) {
    if (isBusy) return;
    const label = button.textContent;
    const isPreview = button.matches(".preview-button");
    isBusy = true;
    button.setAttribute("aria-disabled", "true");
    if (!isPreview) button.textContent = words.sending;
    try {
      await freshen();
      form.elements.author.value = recall(author) ?? ""; // read now: it may have come in another tab
      await (isPreview ? preview(button) : send(button));
    } catch (error) {
      const why = { TypeError: words.unreachable, TimeoutError: words.slow }[error.name];
      const when = new Intl.RelativeTimeFormat(document.documentElement.lang).format(parseInt(error.wait) || 60, "second");
      showErrors({}, why ?? words.down.replace("{}", when), button);
    } finally {
      isBusy = false;
      button.removeAttribute("aria-disabled");
      button.textContent = label;
    }
  }

  return { press };
}

// Buttons and keys

function useTools(area, toolbar) {
  const buttons = [...toolbar.children];
  const isMac = /Mac|iP(hone|ad)/.test(navigator.platform);

  // One button is the way in by Tab; arrows go on from there (ARIA practices, "Toolbar").
  function enter(chosen) {
    for (const button of buttons) button.tabIndex = button === chosen ? 0 : -1;
  }

  enter(buttons[0]);
  toolbar.addEventListener("focusin", (event) => enter(event.target));
  toolbar.addEventListener("keydown", (event) => {
    const step = getComputedStyle(toolbar).direction === "rtl" ? -1 : 1;
    const at = buttons.indexOf(event.target);
    const to = { ArrowRight: at + step, ArrowLeft: at - step, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    buttons.at(to % buttons.length).focus();
  });
  toolbar.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) use(button.dataset.tool, area);
  });
  area.addEventListener("keydown", (event) => {
    const isAsked = isMac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
    if (!isAsked || event.altKey || event.shiftKey || event.isComposing) return;
    // Where letters are not Latin, the place of the key counts.
    const letter = /^[a-z]$/i.test(event.key) ? event.key.toLowerCase() : event.code.slice(-1).toLowerCase();
    if (!KEYS[letter]) return;
    event.preventDefault();
    use(KEYS[letter], area);
  });
}

function use(tool, area) {
  area.focus();
  if (tool === "quote") quote(area);
  else if (tool === "link") link(area);
  else mark(area, MARKS[tool]);
}

// Puts text in a place and selects what is named from its start. The command is deprecated and has no
// successor: nothing else leaves the browser's own undo whole.
function put(area, from, to, text, start = text.length, end = start) {
  area.setSelectionRange(from, to);
  if (!document.execCommand(text ? "insertText" : "delete", false, text)) {
    area.setRangeText(text, from, to, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }
  area.setSelectionRange(from + start, from + end);
}

// Sets the selection between marks, or takes them away. Marks and spaces at its ends stay outside.
function mark(area, sign) {
  const { value } = area;
  let { selectionStart: from, selectionEnd: to } = area;
  const isOutside = (at) => value[at] === sign[0] || /\s/.test(value[at]);
  while (from < to && isOutside(from)) from += 1;
  while (from < to && isOutside(to - 1)) to -= 1;
  const inner = value.slice(from, to);
  if (sign === "`" && inner.includes("\n")) return put(area, from, to, `\`\`\`\n${inner}\n\`\`\``);
  const before = /([*`]?)\1*$/.exec(value.slice(0, from))[0];
  const after = /^([*`]?)\1*/.exec(value.slice(to))[0];
  const row = Math.min(before.length, after.length); // 1 is italic, 2 is bold, 3 is both
  const isMarked = before[0] === sign[0] && after[0] === sign[0] && (sign.length === 2 ? row > 1 : row % 2 === 1);
  if (isMarked) return put(area, from - sign.length, to + sign.length, inner, 0, inner.length);
  // No mark reaches over an empty line: each paragraph has its own.
  const text = inner ? inner.replace(/\S.*(\n.*\S.*)*/g, (block) => sign + block.trimEnd() + sign) : sign + sign;
  const length = text.length - sign.length;
  return put(area, from, to, text, sign.length, length);
}

// Makes the lines of the selection a quotation, or takes that back. A line below makes room to answer.
function quote(area) {
  const { value, selectionStart, selectionEnd } = area;
  const from = value.lastIndexOf("\n", selectionStart - 1) + 1;
  const end = value.indexOf("\n", selectionEnd);
  const to = end < 0 ? value.length : end;
  const lines = value.slice(from, to).split("\n");
  const isQuoted = lines.every((line) => line.startsWith(">"));
  const text = lines.map((line) => (isQuoted ? line.replace(/^> ?/, "") : `> ${line}`)).join("\n");
  if (isQuoted || selectionStart === selectionEnd) return put(area, from, to, text);
  const below = /^\n*/.exec(value.slice(to))[0].length;
  return put(area, from, to + Math.min(2, below), `${text}\n\n`);
}

// What is selected becomes a link's words, or its address if it is one.
function link(area) {
  const { value, selectionStart: from, selectionEnd: to } = area;
  const words = value.slice(from, to);
  if (!words || /^https?:\/\/\S+$/.test(words)) return put(area, from, to, `[](${words || "https://"})`, 1);
  const start = words.length + 3;
  return put(area, from, to, `[${words}](https://)`, start, start + "https://".length);
}

// The counter: seen at once, spoken when the keys are still

function countCharacters(area, counter, counted) {
  const { most, left, over } = counter.dataset;
  let later;

  // As the server counts: composed letters, no white space at the end of a line.
  function length() {
    const typed = area.value.normalize("NFC").replace(/[^\S\n]+$/gm, "").replace(/^\n+|\n+$/g, "");
    return [...typed].length;
  }

  function show() {
    const rest = area.value.length < most * 0.9 ? most : most - length();
    counter.hidden = rest > most * 0.1;
    counter.classList.toggle("is-over", rest < 0);
    counter.textContent = (rest < 0 ? over : left).replace("{}", Math.abs(rest).toLocaleString(document.documentElement.lang));
    clearTimeout(later);
    later = setTimeout(() => { counted.textContent = counter.hidden ? "" : counter.textContent; }, SPEAK_AFTER);
  }

  area.addEventListener("input", show);
  area.addEventListener("focus", show); // a text that came back, or went
  show();
}

// Name, address and website for the next comment on this site: only where somebody asks for it

function savePerson(form, box, person, keep, recall) {
  const names = ["name", "email", "website"];
  box.checked = Boolean(recall(person));

  function save() {
    const typed = names.map((name) => [name, form.elements[name]?.value]);
    keep(person, box.checked ? Object.fromEntries(typed) : null);
  }

  box.addEventListener("change", save);
  for (const name of names) form.elements[name]?.addEventListener("change", () => box.checked && save());
}
