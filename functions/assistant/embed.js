// The button that opens a desk's chat on another site:
// <script src="https://…/embed.js" data-desk="…" data-lang="zh-CN" defer></script>
// It needs nothing of the site's policy but `script-src` and `frame-src` with our address: styles
// are set by script, and nothing is written as HTML.
(() => {
  const script = document.currentScript, { desk, lang } = script.dataset;
  const locale = /^en/i.test(lang || document.documentElement.lang || navigator.language) ? "en" : "zh-CN";
  const [label, labelOfNews] = "TEXTS"[locale];
  const address = new URL(`desks/${encodeURIComponent(desk)}/chat?embed=1&lang=${locale}`, script.src);

  const make = (name, attributes, ...children) => {
    const svg = /^(svg|path)$/.test(name) && "http://www.w3.org/2000/svg";
    const node = svg ? document.createElementNS(svg, name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  };
  const icon = make(
    "svg", { viewBox: "0 0 24 24", "aria-hidden": "true" },
    make("path", { d: "M7.9 20A9 9 0 1 0 4 16.1L2 22Z" }),
  );
  const text = make("span", {}), news = make("i", { hidden: "" });
  const button = make("button", { type: "button", "aria-expanded": "false", "aria-controls": "panel" }, icon, text, news);
  const panel = make("div", { id: "panel", hidden: "" });
  text.textContent = label;

  const style = new CSSStyleSheet();
  style.replaceSync(`
    :host { all: initial; color-scheme: light dark; }
    [hidden] { display: none !important; }
    button { position: fixed; right: 16px; bottom: 16px; z-index: 2147483000; display: flex; align-items: center; gap: 8px;
      min-height: 48px; padding: 0 20px; border: 1px solid transparent; border-radius: 24px; cursor: pointer;
      font: 600 16px/1.5 system-ui, -apple-system, "Segoe UI", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif;
      color: #fff; background: #2358c9; }
    button:focus-visible { outline: 3px solid #2358c9; outline-offset: 3px; box-shadow: 0 0 0 3px #fff; }
    svg { width: 20px; height: 20px; fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; }
    i { width: 10px; height: 10px; border-radius: 50%; background: #ffd166; border: 1px solid #1b2330; }
    #panel { position: fixed; right: 16px; bottom: 80px; z-index: 2147483001; width: 384px; height: min(620px, 100dvh - 96px);
      border: 1px solid #838d9c; border-radius: 14px; overflow: hidden; background: Canvas; }
    iframe { display: block; width: 100%; height: 100%; border: 0; }
    @media (prefers-color-scheme: dark) { button { color: #0f141b; background: #82aaff; } button:focus-visible { outline-color: #82aaff; box-shadow: 0 0 0 3px #0f141b; } }
    @media (max-width: 480px), (max-height: 480px) {
      #panel { inset: 0 0 80px; width: auto; height: auto; border: 0; border-radius: 0; }
      #panel[data-ready] { bottom: 0; }
      #panel[data-ready] ~ button[aria-expanded=true] { visibility: hidden; }
    }
    @media print { :host { display: none; } }`);
  const host = make("div", { lang: locale });
  const shadow = host.attachShadow({ mode: "open" });
  shadow.adoptedStyleSheets = [style];
  shadow.append(panel, button);

  let frame;
  const isOpen = () => !panel.hidden;
  const say = () => frame.contentWindow.postMessage({ deskbell: isOpen() ? "open" : "closed" }, address.origin);
  const mark = (isNew) => {
    news.hidden = !isNew;
    button.setAttribute("aria-label", isNew ? labelOfNews : label);
  };

  function toggle() {
    panel.hidden = isOpen();
    button.setAttribute("aria-expanded", isOpen());
    mark(false);
    if (frame) say();
    else {
      // `allow-same-origin` leaves the frame its own origin, ours, so that it keeps the conversation
      // for a reload; that of this site it never has. What it opens is a page like any other.
      frame = make("iframe", {
        src: address, title: label, referrerpolicy: "no-referrer",
        sandbox: "allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox",
      });
      panel.append(frame);
    }
    if (!isOpen()) button.focus();
  }

  button.addEventListener("click", toggle);
  shadow.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && isOpen()) toggle();
  });
  addEventListener("message", (event) => {
    if (!frame || event.origin !== address.origin || event.source !== frame.contentWindow) return;
    if (event.data?.deskbell === "ready") {
      panel.dataset.ready = "";  // it has a button of its own that closes it
      say();
    }
    if (event.data?.deskbell === "close" && isOpen()) toggle();
    if (event.data?.deskbell === "unread" && !isOpen()) mark(true);
  });
  document.body.append(host);
})();
