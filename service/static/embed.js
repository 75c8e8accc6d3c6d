// <rejoinder-thread> and <rejoinder-count>: docs/embedding.md
(() => {
  const embed = new URL("embed/", document.currentScript.src);
  const dark = matchMedia("(prefers-color-scheme:dark)");
  const looks = {
    color: "text ground link quiet line edge error held good",
    columnWidth: "size measure space indent",
  };
  const above = (element) => element.parentElement || element.getRootNode().host;

  class Thread extends HTMLElement {
    connectedCallback() {
      this.style.display ||= "block";
      this.root ||= this.attachShadow({ mode: "open" });
      this.open();
      addEventListener("message", this);
      addEventListener("hashchange", this);
      dark.addEventListener("change", this);
      this.watch = new MutationObserver(() => this.open());
      for (let at = this; at; at = above(at)) this.watch.observe(at, { attributes: true });
    }

    disconnectedCallback() {
      removeEventListener("message", this);
      removeEventListener("hashchange", this);
      dark.removeEventListener("change", this);
      this.watch.disconnect();
      this.isLoaded = false;
    }

    open() {
      const { host, href, hash } = location;
      const at = /^#comment-(\w+)$/.exec(hash)?.[1];
      const canonical = document.querySelector('link[rel~="canonical"]')?.href;
      const url = this.getAttribute("url");
      const src = new URL(encodeURIComponent(this.getAttribute("site")), embed);
      const asked = {
        url: url ? new URL(url, document.baseURI)
          : canonical && new URL(canonical).host === host ? canonical : href.split("#")[0],
        article: this.getAttribute("article"),
        lang: this.closest("[lang]")?.lang || navigator.language,
        at,
      };
      for (const name in asked) asked[name] && src.searchParams.set(name, asked[name]);
      if (this.src === src.href) {
        setTimeout(() => this.dress(), 500);
        return this.dress();
      }
      this.src = src.href;
      src.searchParams.set("title", document.title.slice(0, 300));
      if (at) src.hash = hash;
      // A new one, for the Back button.
      const frame = this.frame = document.createElement("iframe");
      if (embed.origin !== location.origin) frame.sandbox = "allow-scripts allow-same-origin allow-forms allow-popups "
        + "allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation";
      frame.loading = at ? "eager" : "lazy";
      frame.title = this.textContent.trim() || "Comments";
      frame.style.cssText = "display:block;border:0;width:calc(100% + 8px);margin:-4px;font-family:var(--rejoinder-font)";
      this.isLoaded = false;
      frame.onload = () => {
        this.isLoaded = true;
        this.dress();
        this.silent = setTimeout(() => this.show("1px", "Replies cannot be shown right now."), 5000);
      };
      frame.src = src;
      this.root.replaceChildren(document.createElement("output"), document.createElement("slot"), frame);
      this.show("var(--rejoinder-start,30em)", "");
    }

    // The thread, or what is inside and why.
    show(height, said) {
      const isThere = said == null;
      const [output, slot, { style }] = this.root.children;
      style.height = height;
      style.visibility = isThere ? "" : "hidden";
      if (isThere && this.querySelector(":focus")) this.frame.focus();
      slot.hidden = isThere;
      output.textContent = said;
    }

    dress() {
      if (!this.isLoaded) return;
      const theme = this.getAttribute("theme");
      const link = this.querySelector("a");
      const now = getComputedStyle(this.frame);
      const { color, fontSize } = getComputedStyle(this);
      let ground, at = this;
      do ground = getComputedStyle(at).backgroundColor;
      while (/^rgba|\//.test(ground) && (at = above(at)));
      const page = theme ? {} : { text: color, ground: at ? ground : "Canvas", link: link && getComputedStyle(link).color };
      page.size = fontSize;
      const look = { rejoinder: "look", theme, font: now.fontFamily };
      for (const kind in looks)
        for (const name of looks[kind].split(" ")) {
          this.frame.style[kind] = `var(--rejoinder-${name},${page[name] || "#0000"})`;
          look[name] = now[kind];
        }
      this.frame.contentWindow.postMessage(look, embed.origin);
    }

    handleEvent({ source, origin, data }) {
      if (!origin) return this.open();
      if (source !== this.frame.contentWindow || origin !== embed.origin) return;
      clearTimeout(this.silent);
      const { height, top } = data || {};
      if (height > 0) this.show(Math.min(height, 1e6) + "px");
      const y = this.frame.getBoundingClientRect().top + top;
      if (y < 0 || y > innerHeight / 2) scrollBy(0, y - 16);
    }
  }

  if (customElements.get("rejoinder-thread")) return;
  customElements.define("rejoinder-thread", Thread);
  customElements.define("rejoinder-count", class extends HTMLElement {
    connectedCallback() {
      import(new URL("../static/count.js", embed)).then(({ ask }) => ask(this, embed));
    }
  });
})();
