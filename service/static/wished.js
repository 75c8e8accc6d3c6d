// Says what becomes of a wish for letters: where the reply is shown, else where it was written.
// Fetched by writing.js for whoever has one. Takes the form and the answer that it got.
export function say(form, { id, follow }) {
  const place = document.querySelector(`#comment-${id} .comment-foot`) ?? form.querySelector(".reply-send");
  const said = Object.assign(document.createElement("p"), { className: "quiet reply-follow", textContent: follow });
  document.querySelectorAll(".reply-follow").forEach((earlier) => earlier.remove());
  place.after(said);
  document.querySelector("[role=status]").textContent += ` ${follow}`;
}
