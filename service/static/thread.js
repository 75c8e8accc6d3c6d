// The thread page made nicer. Without this file everything on it works as plain pages.

const root = document.documentElement;
const $ = (selector, within = document) => within.querySelector(selector);

// In a frame: the page around it, and nobody else, is heard and told.

const isFramed = parent !== window;
const origins = [location.origin, ...root.dataset.origins.split(" ")];
let host; // the origin of the page around, once it has spoken

function tell(what) {
  if (host) parent.postMessage(what, host);
}

function tellHeight() {
  tell({ height: Math.ceil(root.getBoundingClientRect().height) });
}

// Brings something into view, in the page around too: no browser scrolls that for us.
function reveal(element) {
  if (!isFramed) return element.scrollIntoView({ block: "nearest" });
  tellHeight();
  tell({ top: Math.max(0, element.getBoundingClientRect().top + scrollY) });
}

// Colours as numbers. A canvas reads every way of writing them, and nothing else.

const pixel = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

function colour(written) {
  if (!CSS.supports("color", written) || /var|url/.test(written)) return null;
  pixel.clearRect(0, 0, 1, 1);
  pixel.fillStyle = "#000";
  pixel.fillStyle = written;
  pixel.fillRect(0, 0, 1, 1);
  const [r, g, b, alpha] = pixel.getImageData(0, 0, 1, 1).data;
  return alpha === 255 ? [r, g, b] : null;
}

// WCAG 2.2, relative luminance and contrast ratio.
function luminance(rgb) {
  const [r, g, b] = rgb.map((part) =>
    part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a, b) {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

// The first mix of two colours, from `least` of the one towards all of it, that can be read.
function mix(one, other, least, ratio, ground = other) {
  for (let part = least; part < 1; part += 0.05) {
    const mixed = one.map((value, i) => Math.round(value * part + other[i] * (1 - part)));
    if (contrast(mixed, ground) >= ratio) return mixed;
  }
  return one;
}

// Colours that say something, as thread.css has them, for light pages and for dark ones.
const STATES = {
  error: [[179, 38, 30], [255, 157, 148]],
  held: [[138, 83, 0], [240, 184, 102]],
  good: [[29, 107, 56], [127, 207, 152]],
};

// How small and how large a length may be, in pixels.
const LENGTHS = { size: [15, 20], measure: [240, 4000], space: [4, 48], indent: [0, 48] };

// Takes on the look of the page around: only what can be parsed, only colours that can be read.
function dress(look) {
  const { theme, font } = look;
  const set = (name, value) => root.style.setProperty("--rejoinder-" + name, value);
  const paint = (name, rgb) => set(name, rgb ? `rgb(${rgb.join(" ")})` : null);
  if (typeof font === "string" && /^[\p{L}\p{N}\s"',._-]{1,300}$/u.test(font) && CSS.supports("font-family", font)) set("font", font);
  for (const name in LENGTHS) {
    const [least, most] = LENGTHS[name];
    set(name, /^[\d.]+px$/.test(look[name]) ? Math.min(most, Math.max(least, parseFloat(look[name]))) + "px" : null);
  }
  const ground = colour(String(look.ground));
  const isOwn = theme === "light" || theme === "dark";
  root.style.colorScheme = isOwn ? theme : ground ? (luminance(ground) < 0.18 ? "dark" : "light") : "";
  paint("ground", ground);
  const on = ground ?? colour(getComputedStyle(root).backgroundColor);
  const isDark = luminance(on) < 0.18;
  // What is asked for if it can be read; without it what follows from the rest, or thread.css.
  const wear = (name, otherwise, ratio = 4.5) => {
    const asked = colour(String(look[name]));
    const worn = asked && contrast(asked, on) >= ratio ? asked : otherwise;
    paint(name, worn);
    return worn;
  };
  const words = wear("text", ground && (isDark ? [255, 255, 255] : [0, 0, 0]));
  wear("link", words);
  wear("quiet", words && mix(words, on, 0.6, 4.6));
  wear("edge", words && mix(words, on, 0.4, 3.1), 3);
  wear("line", words && mix(words, on, 0.12, 1), 1);
  for (const name in STATES) wear(name, words && mix(words, STATES[name][+isDark], 0, 4.5, on));
}

function hear({ source, origin, data }) {
  if (source !== parent || !origins.includes(origin) || data?.rejoinder !== "look") return;
  const isFirst = !host;
  host = origin;
  dress(data.theme ? data : { ...data, ...root.dataset });
  root.classList.add("is-fitted");
  tellHeight();
  if (isFirst) arrive();
}

// The comment that the address names, or after a step to another page its beginning.
function arrive() {
  const target = $(":target, .is-asked");
  const isStep = document.referrer.startsWith(location.origin + "/embed/");
  if (target || isStep) reveal(target || root);
}

if (isFramed) {
  root.classList.add("is-framed");
  addEventListener("message", hear);
  new ResizeObserver(tellHeight).observe(root);
}

// Has the keyboard begin there; gives it back.
function attend(element) {
  element.tabIndex = -1;
  element.focus({ preventScroll: true });
  return element;
}

// Times as people say them; the exact one stays in the title.

const UNITS = [["year", 31556952], ["month", 2629746], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]];

function relate() {
  for (const time of document.querySelectorAll("time")) {
    const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
    const [unit, length] = UNITS.find(([, length]) => seconds >= length) ?? ["second", Infinity];
    time.title ||= time.textContent;
    time.textContent = seconds < -60 // an end to come, by the reader's own clock
      ? new Date(time.dateTime).toLocaleString(root.lang, { dateStyle: "medium", timeStyle: "short" })
      : new Intl.RelativeTimeFormat(root.lang, { numeric: seconds < 60 ? "auto" : "always" })
        .format(-Math.trunc(seconds / length), unit);
  }
}

relate();
setInterval(relate, 60000);

// What only some people do is fetched when they do it. Takes what does the same without it.
function read(verb, about, otherwise) {
  import("./reading.js" + new URL(import.meta.url).search)
    .then((reading) => reading[verb](about, { relate, attend }))
    .catch(otherwise);
}

const isPlain = (event) => !(event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);

document.addEventListener("click", (event) => {
  const link = event.target.closest?.(".more-link, .answers-link");
  const answered = document.getElementById("comment-" + link?.dataset.answers);
  if (!isPlain(event) || !(answered || link?.matches(".more-link"))) return;
  event.preventDefault();
  if (answered) reveal(attend(answered));
  else read("more", link, () => location.assign(link.href));
});

// What the browser keeps, on the service's own origin: drafts (never with an e-mail address), the
// receipts of one's own replies, and who one is if one asked for that. Where storage is denied it
// lasts as long as the page.

const kept = new Map();

function recall(key) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? kept.get(key);
  } catch {
    return kept.get(key);
  }
}

function keep(key, value) {
  kept.set(key, value);
  try {
    if (value) localStorage.setItem(key, JSON.stringify(value));
    else localStorage.removeItem(key);
  } catch {
    // Denied or full: `kept` has it.
  }
}

// Likes: one form for all, its buttons name the comments.
addEventListener("submit", (event) => {
  const { target, submitter } = event;
  if (target.id !== "likes") return;
  event.preventDefault();
  target.action = submitter.formAction;
  read("like", submitter, () => target.submit());
});

// The thread, on pages that have one: with its form, or closed.

const about = $("[data-draft]")?.dataset.draft;
const receipts = `rejoinder receipts ${about}`;

function part(tag, attributes, ...content) {
  const made = document.createElement(tag);
  for (const name in attributes) made.setAttribute(name, attributes[name]);
  made.append(...content);
  return made;
}

// One's own replies that are not public yet

// Takes the comment out of its receipt, puts it where it belongs, gives what is said of it.
async function show(receipt) {
  const answer = await fetch(receipt, { credentials: "omit", cache: "no-store" });
  if (answer.status === 404) return { state: "gone" };
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const told = $("#receipt", page);
  const comment = document.importNode($(".comment", told), true);
  const { state } = told.dataset;
  const said = $(".receipt-said span", told).textContent;
  const known = document.getElementById(comment.id);
  if (!known && !comment.hidden && state !== "published") {
    const link = part("a", { href: receipt, target: "_blank", rel: "noopener" }, told.dataset.link);
    comment.append(part("p", { class: "comment-foot quiet" }, said, " ", link));
    const above = document.getElementById("comment-" + comment.dataset.parent);
    let list = above ? $(":scope > .replies", above) : $(".comments");
    if (!list) above.append(list = part("div", { class: "replies" }));
    list.append(comment);
    relate();
  }
  return { state, comment: known ?? comment, said };
}

async function showOwn() {
  const waiting = [];
  for (const receipt of recall(receipts) ?? []) {
    const shown = await show(receipt).catch(() => ({ state: "waiting" })); // asked again next time
    if (shown.state === "waiting") waiting.push(receipt);
  }
  keep(receipts, waiting.length ? waiting : null);
}

if (about) showOwn();

// Its form.

const section = $("#reply");
if (section) {
  const form = $("form", section);
  const { token: tokenAddress, error: errorWord, ...said } = form.dataset;
  const person = `rejoinder person ${about.split(" ")[0]}`;
  const shared = form.elements.token.value;
  const summary = $("#reply-errors");
  const heading = $("#reply-title");
  const cancel = $(".reply-cancel", section);
  const home = document.createComment("the form");
  const field = (name) => form.elements[name];
  const draftKey = () => `rejoinder draft ${about} ${field("parent").value}`;
  let token; // the promise of a fresh one
  let writing; // the promise of writing.js

  // The draft, and the random name that makes a repeated sending one comment.

  const nonce = () => crypto.getRandomValues(new Uint32Array(4)).join("-");

  function saveDraft() {
    const [name, website, comment] = ["name", "website", "comment"].map((name) => field(name)?.value);
    keep(draftKey(), comment.trim() ? { name, website, comment, nonce: field("nonce").value } : null);
  }

  function openDraft() {
    const draft = recall(draftKey());
    const known = { ...recall(person), ...draft };
    for (const input of form.elements) input.value ||= known[input.name] ?? "";
    field("nonce").value = draft?.nonce ?? nonce();
    if (draft) freshen();
  }

  // A token of one's own tells how long somebody wrote; without it the page's own serves.
  function freshen() {
    token ??= fetch(tokenAddress, { credentials: "omit", cache: "no-store", signal: AbortSignal.timeout(5e3) })
      .then((answer) => answer.json())
      .then((fresh) => {
        field("token").value = fresh.token;
        if (fresh.work) read("work", [form, fresh.work], () => {});
      })
      .catch(() => { token = null; });
    return token;
  }

  // What is only needed by somebody who writes.
  function write() {
    writing ??= import(said.writing)
      .then(({ start }) => start({ form, person, keep, recall, reveal, freshen, posted, showErrors }));
    writing.catch(() => { writing = null; });
    return writing;
  }

  // As without script, if the service is there at all.
  async function sendPlainly(button) {
    await freshen();
    if (!token) return showErrors({}, said.unreachable, button);
    form.action = target(button);
    form.submit();
  }

  // Reply in place

  function answer(comment, id, title) {
    const typed = field("comment").value;
    saveDraft();
    const before = draftKey();
    const isBetween = id && field("parent").value; // words for one comment are not for another
    field("parent").value = id;
    const draft = recall(draftKey());
    if (draft || isBetween) field("comment").value = "";
    else if (typed) keep(before, null); // the words move along
    openDraft();
    saveDraft();
    heading.textContent = title ?? heading.dataset.title;
    cancel.hidden = !id;
    showErrors({}, "");
    const foot = comment && $(":scope > .comment-foot", comment);
    if (foot) foot.after(section);
    else home.after(section);
    (field("name").value ? field("comment") : field("name")).focus({ preventScroll: true });
    reveal(comment ?? section);
  }

  // Errors

  // Where a button sends the form.
  const target = (button) => button.getAttribute("formaction") ?? form.action;

  // Takes what was pressed if pressing it again may help.
  function showErrors(errors, message, again) {
    $("#reply-preview")?.remove();
    summary.replaceChildren(summary.firstElementChild);
    const list = part("ul", {});
    for (const input of form.querySelectorAll(".field :is(input, textarea)")) {
      const box = input.parentElement;
      const said = errors[input.name]?.[0];
      const hint = $(".hint", box);
      $(".error", box)?.remove();
      box.classList.toggle("has-error", Boolean(said));
      for (const name of ["aria-invalid", "aria-describedby"]) input.removeAttribute(name);
      const described = hint ? [hint.id] : [];
      if (said) {
        const id = `${input.id}-error`;
        input.before(part("p", { class: "error", id },
          part("span", { class: "visually-hidden" }, errorWord + " "), said));
        input.setAttribute("aria-invalid", "true");
        described.push(id);
        list.append(part("li", {}, part("a", { href: "#" + input.id, target: "_self" }, said)));
      }
      if (described.length) input.setAttribute("aria-describedby", described.join(" "));
    }
    if (message) summary.append(part("p", {}, message));
    if (list.hasChildNodes()) summary.append(list);
    if (again) summary.append(part("button", { class: again.className, formaction: target(again) }, said.again));
    summary.hidden = summary.childElementCount < 2;
    const title = document.title.replace(errorWord + " ", "");
    document.title = summary.hidden ? title : `${errorWord} ${title}`;
    if (summary.hidden) return summary.removeAttribute("role");
    summary.setAttribute("role", "alert");
    summary.focus({ preventScroll: true });
    reveal(summary);
  }

  // Sent

  async function posted(receipt) {
    keep(draftKey(), null);
    keep(receipts, [...new Set([...(recall(receipts) ?? []), receipt])]);
    field("comment").value = "";
    field("nonce").value = nonce();
    field("token").value = shared; // one's own is for one comment
    token = null;
    showErrors({}, "");
    const shown = await show(receipt).catch(() => null);
    if (!shown?.comment) return location.assign(receipt);
    field("parent").value = "";
    heading.textContent = heading.dataset.title;
    cancel.hidden = true;
    home.after(section);
    $("[role=status]").textContent = shown.said;
    reveal(attend(shown.comment));
  }

  section.before(home);
  field("title").value ||= new URLSearchParams(location.search).get("title") ?? "";
  openDraft();
  form.addEventListener("focusin", (event) => {
    freshen();
    // Not at a button: what is added must not move it while it is pressed.
    if (event.target.matches("input, textarea")) write();
  });
  form.addEventListener("input", saveDraft);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = event.submitter ?? $(".button", form);
    write().then(({ press }) => press(button), () => sendPlainly(button));
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a");
    if (!link || !isPlain(event)) return;
    const comment = link.closest(".comment");
    if (link.matches(".reply-link")) answer(comment, comment.dataset.commentId, link.getAttribute("aria-label"));
    else if (link.matches(".cancel-link, .write-link")) answer(null, "");
    else return;
    event.preventDefault();
  });
  if (!summary.hidden) summary.focus({ preventScroll: true });
}
