// Lines to paste: buttons that copy them; and, where a preview is wanted, the sample page in a frame.

(() => {
  "use strict";

  // Where the clipboard is closed (a page without TLS) the text is left selected.
  async function copy(area) {
    area.select();
    try {
      await navigator.clipboard.writeText(area.value);
      return true;
    } catch {
      return document.execCommand("copy");
    }
  }

  for (const box of document.querySelectorAll(".copied")) {
    const area = box.querySelector("textarea");
    const button = document.createElement("button");
    const said = document.createElement("span");
    button.type = "button";
    button.textContent = box.dataset.copy;
    button.setAttribute("aria-describedby", (said.id = `${area.id}-said`));
    said.setAttribute("role", "status");
    button.addEventListener("click", async () => {
      said.textContent = "";
      const isCopied = await copy(area);
      said.textContent = isCopied ? box.dataset.done : box.dataset.failed;
      if (isCopied) button.focus();
    });
    const row = document.createElement("div");
    row.className = "sends";
    row.append(button, said);
    box.append(row);
  }

  const preview = document.querySelector(".preview");
  if (!preview) return;

  const frame = document.createElement("iframe");
  const buttons = [...preview.querySelectorAll("button")];
  frame.title = preview.dataset.title;
  frame.loading = "lazy";

  function show(chosen) {
    for (const button of buttons) button.setAttribute("aria-pressed", button === chosen);
    frame.className = `is-${chosen.dataset.width}`;
    const src = `${preview.dataset.sample}?look=${chosen.dataset.look}`;
    if (frame.getAttribute("src") !== src) frame.setAttribute("src", src);
  }

  for (const button of buttons) button.addEventListener("click", () => show(button));
  show(buttons[0]);
  preview.append(frame);
  preview.hidden = false;
})();
