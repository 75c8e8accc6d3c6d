// How many replies there are, for <rejoinder-count>: loaded by embed.js where there is one.

const waiting = new Set();

// Writes an element's number into it. All that are asked for within a tick are one request; what is
// inside an element stays if its number cannot be had.
export function ask(element, embed) {
  if (!waiting.size) setTimeout(() => send(embed));
  waiting.add(element);
}

function send(embed) {
  const sites = {};
  for (const element of waiting) (sites[element.getAttribute("site")] ??= []).push(element);
  waiting.clear();
  // The service answers 100 addresses; 50 fit into the URL that any server takes.
  for (const site in sites) while (sites[site].length) fetchCounts(embed, site, sites[site].splice(0, 50));
}

async function fetchCounts(embed, site, elements) {
  const asked = new URL(`${encodeURIComponent(site)}/counts`, embed);
  const urls = elements.map((element) => new URL(element.getAttribute("url") ?? "", document.baseURI).href);
  for (const url of new Set(urls)) asked.searchParams.append("url", url);
  try {
    const counts = await (await fetch(asked, { credentials: "omit" })).json();
    elements.forEach((element, i) => {
      if (urls[i] in counts) element.textContent = counts[urls[i]];
    });
  } catch {
    // The service is away, or the page's policy forbids it: see docs/embedding.md.
  }
}
