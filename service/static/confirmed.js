// The proof that an address is this browser's owner's: kept where the form looks for it (writing.js).
// Where storage is denied, the next letter asks again.

const { site, author } = document.querySelector("[data-author]").dataset;
try {
  localStorage.setItem(`rejoinder.author ${site}`, JSON.stringify(author));
} catch {
  // Denied or full.
}
