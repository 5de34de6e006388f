/* The shell of the workbench: calls, notices, keys, palette, live updates, alerts. */
(() => {
  "use strict";
  const body = document.body, data = body.dataset, texts = JSON.parse(data.texts || "{}");
  const $ = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const emit = (name, detail) => document.dispatchEvent(new CustomEvent(`deskbell:${name}`, { detail }));
  const parsed = (html) => new DOMParser().parseFromString(html, "text/html");
  const t = (key, values = {}) =>
    (texts[key] ?? texts[`script.${key}`] ?? key).replace(/\{(\w+)\}/g, (gap, name) => values[name] ?? gap);

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  // Messages

  let spokenAt = -Infinity, speaking;
  function announce(text) {
    clearTimeout(speaking);
    speaking = setTimeout(() => {
      spokenAt = Date.now();
      $("#live").textContent = text;
    }, Math.max(0, spokenAt + 10000 - Date.now()));
  }

  function notice(text, { kind = "", label, run, seconds = 8 } = {}) {
    const bar = make("p", { class: `notice ${kind}` }, make("span", {}, text));
    const remove = () => bar.remove();
    const button = make("button", { type: "button", class: "plain" }, run ? label : t("close"));
    button.addEventListener("click", () => { remove(); run?.(); });
    bar.append(button);
    $("#notices").append(bar);
    announce(text);
    if (seconds) setTimeout(remove, seconds * 1000);
    return remove;
  }

  // Calls

  let offlineBar;
  function online(is) {
    if (is === !offlineBar) return;
    if (is) offlineBar = offlineBar();
    else offlineBar = notice(t("offline"), { kind: "warn", seconds: 0 });
    emit(is ? "online" : "offline");
  }

  let signingIn, endedBar;
  const session = () => import(data.session);
  const signIn = () =>
    (signingIn ??= session().then((module) => module.signIn()).then(resumed).finally(() => { signingIn = undefined; }));

  function resumed() {
    emit("online");
    poll();
  }

  /* Whoever does not ask for anything is told, never interrupted. */
  function ended() {
    if (signingIn || endedBar) return;
    const again = () => { endedBar = undefined; signIn().catch(ended); };
    endedBar = notice(t("ended"), { kind: "warn", seconds: 0, label: t("sign_in"), run: again });
  }

  async function call(url, options = {}, quiet = false) {
    const headers = { Accept: "text/html", "HX-Request": "true", ...options.headers };
    if (options.method && options.method !== "GET") headers["X-Form"] = data.form;
    let answer;
    try {
      answer = await fetch(url, { ...options, headers });
    } catch (error) {
      if (error.name !== "AbortError") online(false);
      throw error;
    }
    online(true);
    if (answer.status === 401) {
      if (quiet) return ended(), answer;
      await signIn();
    } else {
      endedBar = endedBar?.();
      const stale = answer.status === 403 && headers["X-Form"] && !signingIn;
      if (!stale || !(await (await session()).renew())) return answer;
    }
    return call(url, { ...options, signal: undefined }, quiet);
  }

  const get = (url) => call(url);
  const sent = (fields) => ({ method: "POST", body: new URLSearchParams(fields) });
  const post = (url, fields) => call(url, sent(fields));
  const quietly = (url, fields) => call(url, sent(fields), true);

  addEventListener("online", () => online(true));
  addEventListener("offline", () => online(false));

  /* htmx sends through `call`, so what was typed survives the end of a session. */
  document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
    ctx.fetch = (url, request) => call(url, request);
  });

  /* A refusal is shown as a notice: the page stays as it is. */
  document.addEventListener("htmx:before:swap", (event) => {
    const { response, text } = event.detail.ctx;
    if (!response || response.status < 400) return;
    const refusal = $(".refusal", parsed(text));
    if (!refusal && response.status < 500) return;
    event.preventDefault();
    const said = refusal ? all("h1, p, li", refusal).map((each) => each.textContent).join("\n") : t("failed");
    notice(said, { kind: "bad", seconds: 12 });
  });
  document.addEventListener("htmx:error", ({ detail: { ctx, error } }) => {
    if (ctx && offlineBar === undefined && error?.message !== "signed out") notice(t("failed"), { kind: "bad" });
  });

  /* What only some need is loaded by them. */
  const palette = () => import(data.palette), alerts = () => import(data.alerts);

  const commands = (selector) =>
    all(selector).filter((each) => !each.disabled && !each.closest("[hidden], dialog:not([open])"));

  const setting = (name) => {
    try { return localStorage.getItem(`deskbell.${name}`); } catch { return null; }
  };
  window.deskbell = { post, get, quietly, call, announce, notice, t, setting, commands, run, rows, headOf };

  // Keys

  const seen = (element) => element.checkVisibility();
  const fields = "input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]";

  function run(element) {
    if (!element.matches(fields)) return element.click();
    const menu = element.closest("details");
    if (menu) menu.open = true;
    element.focus();
  }

  function press(keys) {
    const found = commands("[data-key]").filter((each) => each.dataset.key === keys);
    const first = found.find(seen) ?? found[0];
    if (first) run(first);
    return Boolean(first);
  }

  function move(step) {
    const rows = all("#queue [data-ticket]").filter(seen);
    const at = rows.findIndex((row) => row.contains(document.activeElement));
    const start = at < 0 ? rows.findIndex((row) => $("[aria-current]", row) || row.matches("[aria-current]")) : at;
    const row = rows[Math.min(Math.max(start + (start < 0 ? 1 : step), 0), rows.length - 1)];
    (row?.matches("a") ? row : row && $("a", row))?.focus();
  }

  function back(field) {
    const menu = all("details.menu[open]").pop();
    if (menu) {
      menu.open = false;
      $("summary", menu).focus();
    } else if (field) document.activeElement.blur();
    else if (press("Escape")) return;
    else if (seen($("#queue")) && $("#queue [data-ticket]")) {
      document.activeElement.blur();
      move(0);
    } else if (!$(".blank")) location.assign($("#queue").dataset.src);
  }

  let prefix = "", forget;
  document.addEventListener("keydown", (event) => {
    const { key, ctrlKey, altKey, metaKey, shiftKey } = event;
    if (event.isComposing || event.keyCode === 229 || event.defaultPrevented || altKey || metaKey) return;
    const dialog = $("dialog[open]");
    if (ctrlKey && !shiftKey && key.toLowerCase() === "k") {
      event.preventDefault();
      if (!dialog) palette().then((module) => module.openPalette());
      return;
    }
    if (ctrlKey || dialog) return;
    const field = document.activeElement?.matches(fields);
    if (key === "Escape") return back(field);
    if (field || setting("keys") === "0" || key.length > 1) return;
    const keys = prefix + key;
    prefix = "";
    clearTimeout(forget);
    if (keys === "g") {
      prefix = "g ";
      forget = setTimeout(() => { prefix = ""; }, 1500);
    } else if (press(keys)) event.preventDefault();
    else if (keys === "j" || keys === "k") move(keys === "j" ? 1 : -1);
  });

  document.addEventListener("click", ({ target }) => {
    for (const menu of all("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
    const opener = target.closest("[data-open]");
    if (!opener) return;
    opener.closest("details")?.removeAttribute("open");
    $(`#${opener.dataset.open}`).showModal();
  });

  for (const box of all("[data-setting]")) {
    const { setting: name, default: usual = "0" } = box.dataset;
    box.checked = (setting(name) ?? usual) === "1";
    box.addEventListener("change", () => {
      try { localStorage.setItem(`deskbell.${name}`, box.checked ? "1" : "0"); } catch { /* not kept */ }
      if (box.checked && name !== "keys") alerts().then((module) => module.allow(name));
    });
  }
  $("#test-alert")?.addEventListener("click", () => alerts().then((module) => module.test()));

  // The open ticket

  const ticket = () => $("#ticket[data-number]");
  let opened, title = document.title;
  /* A queue is there without waiting for what only tickets need. */
  function load() {
    for (const url of data.ticketFiles.split(" ")) {
      if (url.endsWith(".js")) import(url);
      else if (!$(`link[href="${url}"]`)) document.head.append(make("link", { rel: "stylesheet", href: url }));
    }
  }
  function noteOpened() {
    const number = ticket()?.dataset.number;
    for (const row of all("#queue [data-ticket]")) {
      const link = $("a", row);
      if (link) link.ariaCurrent = row.dataset.ticket === number ? "true" : null;
    }
    if (number === opened) return;
    opened = number;
    if (number) {
      title = `${number} · ${$(".bar .desk").textContent}`;
      document.title = title;
      emit("opened", { number });
    }
    const composer = $("#composer");
    sizes.disconnect();
    if (composer) sizes.observe(composer);
  }
  /* The pinned composer never covers what has the focus. */
  const sizes = new ResizeObserver(([{ target }]) =>
    document.documentElement.style.setProperty("--composer", `${target.offsetHeight + 16}px`));
  document.addEventListener("htmx:after:settle", noteOpened);
  addEventListener("load", noteOpened);
  if ($("#ticket, [data-act]")) load();
  else addEventListener("load", load);

  /* Back and forth: a ticket is swapped in, any other page is loaded. */
  document.addEventListener("htmx:before:history:restore", (event) => {
    event.preventDefault();
    if (/\/tickets\/[^/]+$/.test(location.pathname)) htmx.ajax("GET", location.href, { target: "#main", push: "false" });
    else location.reload();
  });

  // Live updates

  const changes = $("#changes"), versions = new Map();
  let cursor = data.cursor, usedAt = Date.now(), timer, waiting;
  const queueUrl = () => ($("#queue [data-src]") ?? $("#queue")).dataset.src;
  const rowsOf = (root) => new Map(all("[data-ticket]", root).map((row) => [row.dataset.ticket, row.textContent.replace(/\s+/g, " ")]));

  async function rows(url = queueUrl()) {
    const address = new URL(url, location);
    address.searchParams.set("part", "rows");
    const answer = await call(address, {}, true);
    return answer.ok ? answer.text() : null;
  }

  function apply() {
    if (waiting) htmx.swap({ text: waiting, target: "#queue", swap: "innerMorph", sourceElement: body });
    waiting = null;
    show(0);
  }

  function show(count) {
    changes.hidden = !count;
    const said = count ? t("changes", { count }) : "";
    changes.replaceChildren(said, make("kbd", { "aria-hidden": "true" }, "u"));
    document.title = count ? `(${count}) ${title}` : title;
    if (count) announce(said);
  }

  async function compare() {
    const html = await rows();
    if (html === null) return;
    const now = rowsOf($("#queue")), then = rowsOf(parsed(html));
    const changed = [...then].filter(([number, text]) => now.get(number) !== text).length;
    const gone = [...now.keys()].filter((number) => !then.has(number)).length;
    waiting = changed + gone ? html : null;
    show(changed + gone);
  }

  /* The version and the status in the head of a ticket. */
  function headOf(root) {
    const { version, status } = $("[data-version]", root)?.dataset ?? {};
    return version ? { version, status } : {};
  }

  async function refresh() {
    const open = ticket();
    const answer = await call(open.dataset.live, {}, true);
    if (!answer.ok || open !== ticket()) return;
    const found = parsed(await answer.text());
    for (const part of found.body.children) part.setAttribute("hx-swap-oob", "innerMorph");
    await htmx.swap({ text: found.body.innerHTML, target: "#live", swap: "none", sourceElement: body });
    Object.assign(open.dataset, headOf(found));
    announce(t("updated"));
  }

  async function poll() {
    clearTimeout(timer);
    if (document.hidden || !data.cursor) return;
    try {
      const answer = await call(`${data.home}/changes?since=${cursor}&open=${ticket()?.dataset.number ?? ""}`, {}, true);
      if (answer.status === 401) return;
      if (answer.ok) await take(await answer.json());
    } catch { /* the banner says that we are offline */ }
    timer = setTimeout(poll, Date.now() - usedAt > 300000 ? 60000 : 15000);
  }

  async function take(found) {
    cursor = found.cursor;
    const fresh = found.tickets.filter(([number, version]) => (versions.get(number) ?? 0) < version);
    for (const [number, version] of fresh) versions.set(number, version);
    emit("changed", { ...found, tickets: fresh });
    if ([setting("sound"), setting("desktop")].includes("1")) alerts().then((module) => module.watch(fresh));
    const { number, version } = ticket()?.dataset ?? {};
    const newer = fresh.find((each) => each[0] === number && each[1] > Number(version));
    if (newer) await refresh();
    if ((fresh.length || found.more) && seen($("#queue"))) await compare();
  }

  changes.addEventListener("click", apply);
  document.addEventListener("visibilitychange", poll);
  for (const name of ["keydown", "pointermove"]) {
    addEventListener(name, () => {
      const idle = Date.now() - usedAt > 300000;
      usedAt = Date.now();
      if (idle) poll();
    }, { passive: true });
  }
  if (seen($("#queue")) && !$("#queue [data-ticket]") && !$(".blank")) {
    rows().then((html) => { waiting = html; apply(); }, () => {});
  }
  timer = setTimeout(poll, 15000);
})();
