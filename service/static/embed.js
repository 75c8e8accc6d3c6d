// <rejoinder-thread site="KEY" [url] [article] [lang] [theme="light|dark"]>: an article's thread in
// a frame. A link inside the element is shown until the thread is there.
(() => {
  "use strict";
  const embed = new URL("embed/", document.currentScript.src);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const seeThrough = /^transparent$|^rgba\(.*, 0(\.\d+)?\)$|\/ 0?(\.\d+)?\)$/;

  // The page's own word for its address, if that is on this host.
  const address = () => {
    const given = document.querySelector('link[rel~="canonical"]')?.href;
    return given && new URL(given).host === location.host ? given : location.href.split("#")[0];
  };

  class Thread extends HTMLElement {
    static observedAttributes = ["site", "url", "article", "lang", "theme"];

    connectedCallback() {
      this.style.display ||= "block";
      if (!this.frame) this.attachShadow({ mode: "open" }).append(document.createElement("slot"));
      this.open();
      addEventListener("message", this);
      addEventListener("hashchange", this);
      dark.addEventListener("change", this);
      this.watch = new MutationObserver(() => this.handleEvent(0));
      for (const watched of [document.documentElement, document.body])
        this.watch.observe(watched, { attributes: true });
    }

    disconnectedCallback() {
      removeEventListener("message", this);
      removeEventListener("hashchange", this);
      dark.removeEventListener("change", this);
      this.watch.disconnect();
      this.isLoaded = false;
    }

    attributeChangedCallback(name, before, now) {
      if (this.frame && before !== now) name === "theme" ? this.dress() : this.open();
    }

    // Opens the thread that the attributes name, at the comment that the page's address names.
    open() {
      const [, at] = /^#comment-(\w+)$/.exec(location.hash) || [];
      const url = this.getAttribute("url");
      const src = new URL(encodeURIComponent(this.getAttribute("site")), embed);
      const asked = {
        url: url ? new URL(url, document.baseURI) : address(),
        article: this.getAttribute("article"),
        title: document.title.slice(0, 300),
        lang: this.getAttribute("lang"),
        at,
      };
      for (const name in asked) asked[name] && src.searchParams.set(name, asked[name]);
      if (at) src.hash = location.hash;
      if (this.frame?.src === src.href) return;
      // Always a new frame: another address in the old one is a step for the Back button.
      const frame = document.createElement("iframe");
      if (embed.origin !== location.origin) frame.sandbox = "allow-scripts allow-same-origin allow-forms allow-popups "
        + "allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation";
      frame.loading = at ? "eager" : "lazy";
      frame.title = this.textContent.trim() || "Comments";
      // 4 px on each side are for focus rings.
      frame.style.cssText = "display:block;border:0;width:calc(100% + 8px);height:1px;margin:-4px;"
        + "visibility:hidden";
      frame.onload = () => {
        this.isLoaded = true;
        this.dress();
      };
      frame.src = src;
      this.isLoaded = false;
      this.frame?.remove();
      this.shadowRoot.firstChild.style.display = "";
      this.shadowRoot.append(this.frame = frame);
    }

    // Tells the thread how the page looks around it.
    dress() {
      if (!this.isLoaded) return;
      const { color, fontFamily, fontSize } = getComputedStyle(this);
      const link = this.querySelector("a");
      let ground, at = this;
      do ground = getComputedStyle(at).backgroundColor;
      while (seeThrough.test(ground) && (at = at.parentElement || at.getRootNode().host));
      this.frame.style.backgroundColor = at ? "transparent" : "Canvas";
      if (!at) ground = getComputedStyle(this.frame).backgroundColor;
      this.frame.contentWindow.postMessage({
        rejoinder: "look", theme: this.getAttribute("theme"), ground, text: color,
        link: link && getComputedStyle(link).color, font: fontFamily, size: fontSize,
      }, embed.origin);
    }

    handleEvent({ type, source, origin, data }) {
      if (type === "hashchange") return this.open();
      if (type !== "message") {
        this.dress();
        // Once more when colours that fade have arrived.
        clearTimeout(this.later);
        this.later = setTimeout(() => this.dress(), 500);
      } else if (source === this.frame.contentWindow && origin === embed.origin) {
        const { height, top } = data || {};
        if (height > 0) {
          this.frame.style.height = Math.min(height, 1e6) + "px";
          this.frame.style.visibility = "";
          this.shadowRoot.firstChild.style.display = "none";
        }
        const y = this.frame.getBoundingClientRect().top + top;
        if (y < 0 || y > innerHeight / 2) scrollBy(0, y - 16);
      }
    }
  }

  customElements.get("rejoinder-thread") || customElements.define("rejoinder-thread", Thread);
})();
