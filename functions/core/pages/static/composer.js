/* The composer: drafts kept on the server, sent after ten seconds, phrases, gaps, who else is here. */
(() => {
  "use strict";
  const desk = window.deskbell;
  const $ = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const GAP = /【请填写：?([^】]*)】|\[fill in:? ?([^\]]*)\]|\{\{ *([^{}]*?) *\}\}/g;
  const MOST = 4000, SAVED_AFTER = 1000, SAVED_EVERY = 5000, TYPED_WITHIN = 20000, SEEN_EVERY = 60000;
  const GSM = /^[@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&'()*+,\-./0-9:;<=>?¡A-ZÄÖÑÜ§¿a-zäöñüà\f^{}\\[~\]|€]*$/;
  const EXTENSION = /[\f^{}\\[~\]|€]/;

  /** What was sent and can be taken back, by number; it goes out though another ticket is open. */
  const waiting = new Map();
  let current = null;

  const parsed = (html) => new DOMParser().parseFromString(html, "text/html").body.childNodes;
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };

  /** The parts of a text message (3GPP TS 23.038), as `sms_parts` of the server counts them. */
  function partsOf(text) {
    const gsm = GSM.test(text);
    const widths = [...text].map((char) => (gsm ? (EXTENSION.test(char) ? 2 : 1) : char.length));
    const whole = widths.reduce((sum, width) => sum + width, 0);
    if (whole <= (gsm ? 160 : 70)) return 1;
    const limit = gsm ? 153 : 67;
    let parts = 1, used = 0;
    for (const width of widths) {
      if (used + width > limit) { parts += 1; used = 0; }
      used += width;
    }
    return parts;
  }

  /** A call that outlives the page. */
  function last(url, fields) {
    const headers = { "X-Form": document.body.dataset.form, "HX-Request": "true" };
    fetch(url, { method: "POST", keepalive: true, headers, body: new URLSearchParams(fields) }).catch(() => {});
  }

  async function json(answer) {
    if (answer.headers.get("content-type")?.includes("json")) return answer.json();
    return { refused: true, html: await answer.text() };
  }

  class Composer {
    constructor(section) {
      const { number, drafts, viewing, phrases, draft, seen, other, mergedFrom, sms, texts } = section.dataset;
      Object.assign(this, { section, number, drafts, viewing, phrases, other, mergedFrom });
      this.form = $("#composer-form", section);
      this.field = $("textarea", section);
      this.texts = JSON.parse(texts);
      this.sms = sms ? JSON.parse(sms) : null;
      this.draft = Number(draft);
      this.seen = Number(seen);
      this.frame = section.dataset.frame;
      this.files = all("#composer-files [data-file]", section).map((each) => each.dataset.file);
      this.suggested = "suggested" in section.dataset;
      this.began = Boolean(this.field.value || other) && !this.suggested;
      this.ended = new AbortController();
      this.savedAt = 0;
      this.underlay = make("div", { class: "underlay", "aria-hidden": "true" });
      this.field.before(this.underlay);
      this.listen();
      this.changed();
      this.showFiles();
      /* Whoever wrote before the script was there has written. */
      if (this.field.value !== this.field.defaultValue) this.edited();
      if (section.dataset.outgoing) {
        const { outgoing: id, outgoingAction: action, outgoingSeconds: seconds } = section.dataset;
        wait(this, { id, action, seconds: Number(seconds) });
      }
      this.opening = setTimeout(() => this.report(this.typing), 1500);
      this.seeing = setInterval(() => document.hidden || this.report(this.typing), SEEN_EVERY);
    }

    t(key, values = {}) {
      return this.texts[key].replace(/\{(\w+)\}/g, (gap, name) => values[name] ?? gap);
    }

    listen() {
      const { signal } = this.ended, { section, field } = this;
      const on = (target, name, run) => target.addEventListener(name, run, { signal });
      on(field, "input", () => this.edited());
      on(field, "scroll", () => { this.underlay.scrollTop = field.scrollTop; });
      on(field, "keydown", (event) => this.pressed(event));
      on(field, "blur", () => setTimeout(() => this.list([]), 200));
      on(this.form, "submit", (event) => {
        event.preventDefault();
        this.send(event.submitter?.value ?? this.usual()?.value);
      });
      on($("#composer-take", section), "submit", (event) => { event.preventDefault(); this.take(); });
      for (const label of all(".frame", section)) {
        const frame = $("input", label);
        on(frame, "change", () => this.into(frame.value));
        on(label, "click", (event) => {
          if (event.target === frame) return;
          event.preventDefault(); // else the focus comes later than the next key
          this.into(frame.value);
          this.toEnd();
        });
      }
      on(section, "click", ({ target }) => {
        const button = target.closest("[data-do]");
        if (button) this.do(button.dataset.do, button);
        const option = target.closest("[role=option]");
        if (option) this.insert(option.dataset.text, true);
        const gap = target.closest("#gaps button");
        if (gap) this.toGap(Number(gap.dataset.at));
      });
      /* On a phone it is one line until somebody writes; it folds after the click, so nothing moves under the finger. */
      on(section, "focusin", () => section.classList.add("open"));
      on(document, "click", ({ target }) => target.isConnected && !section.contains(target) && section.classList.remove("open"));
      on(section, "mousedown", (event) => event.target.closest("[role=option]") && event.preventDefault());
      on($("#composer-file", section), "change", ({ target }) => this.attach([...target.files], target));
      on(document, "deskbell:changed", ({ detail }) => this.others(detail.viewers?.[this.number] ?? []));
      on(document, "deskbell:insert", ({ detail }) => {
        this.into("reply");
        if (this.suggests) this.text = "";
        this.insert(this.text.trim() ? `\n\n${detail.text}` : detail.text);
      });
      on(document, "deskbell:offline", () => this.enable(false));
      on(document, "deskbell:online", () => { this.enable(true); if (this.dirty) this.save(); });
      on(document, "visibilitychange", () => document.hidden && this.flush());
    }

    /* The two frames: an answer and a note have a text each. */

    into(frame) {
      if (frame === this.frame) return;
      [this.frame, this.other, this.field.value] = [frame, this.field.value, this.other];
      this.field.placeholder = this.field.dataset[`${frame}Hint`];
      $(`[name=frame][value=${frame}]`, this.section).checked = true;
      if (!this.suggested && (this.field.value || this.other)) this.unsaved();
      this.changed();
    }

    /* What nobody has written is no draft: a suggestion waits unsaved while a note is written. */
    get suggests() { return this.suggested && this.frame === "reply"; }

    keepSuggestion() {
      if (!this.suggests) return;
      this.suggested = false;
      $("#composer-suggestion", this.section)?.remove();
    }

    /* The cursor is where it was left; at first, behind what is there. */
    toEnd() {
      const { field } = this;
      if (!field.selectionEnd) field.setSelectionRange(field.value.length, field.value.length);
      field.focus();
    }

    usual() {
      return $(`.of-${this.frame}[data-usual]`, this.section);
    }

    get text() { return this.field.value; }
    set text(value) { this.field.value = value; this.changed(); }

    edited() {
      if (!this.began) {
        this.began = true;
        this.seen = Number($("#ticket")?.dataset.version ?? this.seen);
      }
      this.keepSuggestion();
      this.unsaved();
      this.changed();
      this.lookUp();
      this.type();
    }

    changed() {
      const gaps = [...this.text.matchAll(GAP)];
      const list = $("#gaps", this.section);
      list.hidden = !gaps.length;
      list.replaceChildren(...gaps.map((gap) => make("li", {}, make("button",
        { type: "button", "data-at": gap.index }, gap[1] || gap[2] || gap[3] || this.t("gap")))));
      this.underlay.replaceChildren();
      let at = 0;
      for (const gap of gaps) {
        this.underlay.append(this.text.slice(at, gap.index), make("mark", {}, gap[0]));
        at = gap.index + gap[0].length;
      }
      this.underlay.append(`${this.text.slice(at)}\n`);
      this.count();
    }

    count() {
      const shown = $("#composer-length", this.section);
      const frame = this.frame === "reply" ? this.sms?.reply : null, length = this.text.length;
      let text = "", bad = length > MOST;
      if (frame && length) {
        const sent = frame.behind_link ? frame.prefix : frame.prefix + this.text.trim() + frame.suffix;
        const parts = partsOf(sent);
        const price = (parts * Number(this.sms.price_per_part_usd)).toFixed(3).replace(/0$/, "");
        text = this.t(parts === 1 ? "length.one" : "length", { count: [...this.text].length, parts, price });
        if (frame.behind_link) text = this.t("behind_link", { text: sent, price });
        bad = parts > this.sms.max_parts;
        if (bad) text += ` · ${this.t("too_long", { most: this.sms.max_parts })}`;
      } else if (length > MOST - 500) text = this.t("characters", { count: length, most: MOST });
      shown.textContent = text;
      shown.classList.toggle("bad", bad);
    }

    toGap(at) {
      const gap = [...this.text.matchAll(GAP)].find((each) => each.index >= at) ?? this.text.match(GAP);
      if (!gap) return;
      this.field.focus();
      this.field.setSelectionRange(gap.index, gap.index + gap[0].length);
    }

    /* Saving */

    unsaved() {
      this.dirty = true;
      const now = Date.now();
      this.since ??= now;
      const pause = Math.max(now + SAVED_AFTER, this.savedAt + SAVED_EVERY);
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.save(), Math.min(pause, Math.max(this.since, this.savedAt) + SAVED_EVERY) - now);
    }

    fields(more = {}) {
      const { frame, text, seen, draft } = this, other = this.suggested && !this.suggests ? "" : this.other;
      const fields = Object.entries({ frame, text, other, version: seen, draft, ...more });
      if (this.mergedFrom) fields.push(["merged_from", this.mergedFrom]);
      return [...fields, ...this.files.map((file) => ["files", file])];
    }

    note(text) { $("#composer-saved", this.section).textContent = text; }

    async save() {
      clearTimeout(this.timer);
      if (this.saving || this.asked || !this.dirty) return this.saving;
      this.saving = this.store();
      try { await this.saving; } finally { this.saving = null; }
      if (this.dirty && !this.asked && !this.failed) this.unsaved();
    }

    async store() {
      this.dirty = false;
      this.since = undefined;
      this.savedAt = Date.now();
      this.failed = false;
      try {
        const answer = await desk.quietly(this.drafts, this.fields());
        if (answer.status === 401) return this.unstored("signed_out");
        this.stored(answer, await json(answer));
      } catch {
        this.unstored();
        this.timer = setTimeout(() => this.save(), SAVED_EVERY);
      }
    }

    unstored(why = "unsaved") {
      this.dirty = this.failed = true;
      this.note(this.t(why));
    }

    stored(answer, found) {
      if (answer.ok) {
        this.draft = found.draft;
        this.mergedFrom = "";
        this.note(this.text || this.other ? this.t("saved", { time: found.saved }) : "");
      } else {
        this.dirty = true;
        this.ask(found);
      }
    }

    flush() {
      if (!this.dirty || this.asked || this.sending) return;
      this.dirty = false;
      clearTimeout(this.timer);
      last(this.drafts, this.fields());
      this.draft += 1;
    }

    /* Asking: nothing is saved or sent until the question is answered. */

    ask(found) {
      this.asked = Boolean(found.conflict);
      this.found = found.conflict || found.moved ? found : null;
      const notice = $("#composer-notice", this.section);
      notice.replaceChildren(...parsed(found.html));
      notice.scrollIntoView({ block: "nearest" });
    }

    answered() {
      this.asked = false;
      this.found = null;
      $("#composer-notice", this.section).replaceChildren();
    }

    do(what, button) {
      const found = this.found;
      if (what === "clear") this.keepSuggestion(), this.text = "";
      if (what === "insert") {
        const from = button.closest(".elsewhere");
        this.mergedFrom = button.dataset.from;
        this.insert($(".text", from).textContent);
        from.remove();
      }
      if (what === "edit" || what === "insist") {
        this.seen = found.version;
        this.draft = found.draft;
        this.answered();
        if (what === "insist") return this.send(this.action, true);
      }
      if (what === "keep-mine" || what === "take-stored") {
        this.draft = found.draft;
        this.answered();
        if (what === "take-stored") this.show(found);
        else this.dirty = true, this.save();
      }
      this.field.focus();
    }

    show(found) {
      this.keepSuggestion();
      this.draft = found.draft;
      this.seen = found.seen;
      this.files = found.files;
      if (!this.suggested || found.frame !== "note") this.other = found.other;
      this.frame = found.frame;
      $(`[name=frame][value=${found.frame}]`, this.section).checked = true;
      this.field.placeholder = this.field.dataset[`${found.frame}Hint`];
      this.text = found.text;
      this.dirty = false;
      this.began = true;
      this.showFiles();
    }

    /* Sending */

    enable(online) {
      for (const button of all(".send button", this.section)) button.disabled = !online;
    }

    async send(action, insist = false, next = null) {
      if (!action || this.sending) return;
      if (!this.text.trim()) return this.field.focus();
      const gaps = this.text.match(GAP);
      if (gaps && action !== "note" && !insist) {
        this.toGap(0);
        return desk.notice(this.t("gaps", { count: gaps.length }), { label: this.t("fill"), run: () => this.toGap(0) });
      }
      this.sending = this.fields({ action, send: 1, ...(insist && { insist: 1 }) });
      this.action = action;
      this.enable(false);
      clearTimeout(this.timer);
      try {
        await this.saving;
        if (this.asked) return;
        this.answered();
        this.sending = this.fields({ action, send: 1, ...(insist && { insist: 1 }) });
        const answer = await desk.post(this.drafts, this.sending);
        const found = await json(answer);
        if (!answer.ok) return this.back(found);
        this.sent(found);
        next?.();
      } catch {
        this.dirty = true;
        this.note(this.t("unsaved"));
      } finally {
        this.sending = null;
        this.enable(true);
      }
    }

    sent(found) {
      const action = this.action;
      this.keepSuggestion();
      this.draft = found.draft;
      this.failed = false;
      this.mergedFrom = "";
      this.files = [];
      this.showFiles();
      this.dirty = false;
      this.began = false;
      this.text = "";
      this.note("");
      this.type(false);
      this.section.classList.remove("open");
      wait(this, { ...found.outgoing, action });
    }

    /* Nothing was sent: the text is a draft again, before what was written since. */
    back(found) {
      const mine = this.text.trim();
      if (found.text !== undefined && !found.conflict) {
        if (mine && !found.text.includes(mine)) this.dirty = true, found.text = `${found.text}\n\n${mine}`.trim();
        const { dirty } = this;
        if (!mine || found.text !== this.text) this.show(found);
        this.draft = found.draft;
        if (dirty) this.unsaved();
      }
      this.ask(found);
    }

    /* Take the ticket, and send what is written; the page is loaded again with what can be done now. */
    async take(action = "") {
      await this.save();
      const answer = await desk.post($("#composer-take", this.section).getAttribute("action"), { action: "take" });
      if (!answer.ok) return this.ask({ html: await answer.text() });
      if (action) await this.send(action);
      clearTimeout(waiting.get(this.number)?.timer);
      waiting.delete(this.number); // the loaded page waits for it
      location.reload();
    }

    /* Phrases */

    lookUp() {
      clearTimeout(this.looking);
      this.looking = setTimeout(() => this.look(), 300);
    }

    typed() {
      const before = this.text.slice(0, this.field.selectionStart);
      return before.split(/[\n。！？；.!?;，,]/).pop().replace(/^\s*\//, "").trim().slice(-30);
    }

    async look() {
      const typed = this.typed(), asked = this.lookedFor = {};
      if (!/\p{Script=Han}.*\p{Script=Han}|\w{3}/u.test(typed)) return this.list([]);
      try {
        const answer = await desk.call(`${this.phrases}&q=${encodeURIComponent(typed)}`, {}, true);
        if (answer.ok && asked === this.lookedFor) this.list([...parsed(await answer.text())]);
      } catch { /* no phrases while offline */ }
    }

    list(options) {
      const box = $("#phrases", this.section);
      clearTimeout(this.looking);
      this.lookedFor = null;
      box.replaceChildren(...options);
      box.parentElement.hidden = !$("[role=option]", box) || document.activeElement !== this.field;
      this.choose(null);
    }

    choose(option) {
      for (const each of all("#phrases [role=option]", this.section)) each.setAttribute("aria-selected", String(each === option));
      if (option) this.field.setAttribute("aria-activedescendant", option.id);
      else this.field.removeAttribute("aria-activedescendant");
      option?.scrollIntoView({ block: "nearest" });
    }

    /* A phrase goes to the cursor; in place of the line if that has nothing but what was looked for. */
    insert(text, chosen = false) {
      const { field } = this;
      let start = field.selectionStart, end = field.selectionEnd;
      if (chosen) {
        const line = this.text.slice(0, start).split("\n").pop();
        if (line.startsWith("/") || (line.trim() === this.typed() && line.length <= 12)) start -= line.length;
      } else if (document.activeElement !== field) start = end = this.text.length;
      field.focus();
      field.setRangeText(text, start, end, "end");
      this.list([]);
      this.edited();
      this.list([]);
      const gap = text.search(GAP);
      if (gap >= 0) this.toGap(start + gap);
    }

    pressed(event) {
      if (event.isComposing || event.keyCode === 229) return;
      const options = all("#phrases [role=option]", this.section), box = $("#phrases", this.section).parentElement;
      const { key } = event;
      if (key === "Enter" && event.ctrlKey && !event.altKey && !event.metaKey) {
        event.preventDefault();
        const asks = $("#composer-notice .choices :last-child", this.section);
        if (this.found) return asks?.focus();
        const usual = this.usual(), mayTake = $("#composer-take-button", this.section);
        if (!usual && mayTake && this.text.trim()) return this.take("reply");
        return this.send(usual?.value, false, event.shiftKey ? next : null);
      }
      if (box.hidden || event.ctrlKey || event.altKey || event.metaKey) return;
      const at = options.findIndex((each) => each.getAttribute("aria-selected") === "true");
      const below = this.text.indexOf("\n", this.field.selectionStart) >= 0;
      if ((key === "ArrowDown" && (at >= 0 || !below)) || (key === "ArrowUp" && at >= 0)) {
        this.choose(options[at + (key === "ArrowDown" ? 1 : -1)] ?? (key === "ArrowDown" ? options[0] : null));
      } else if (key === "Enter" && at >= 0) this.insert(options[at].dataset.text, true);
      else if (key === "Escape") { this.list([]); event.stopPropagation(); }
      else return;
      event.preventDefault();
    }

    /* Files */

    async attach(chosen, input) {
      for (const file of chosen) {
        this.note(this.t("uploading", { name: file.name }));
        try {
          const answer = await desk.post(`${this.form.getAttribute("action")}/uploads`, { name: file.name, size: file.size });
          if (!answer.ok) { this.ask({ html: await answer.text() }); continue; }
          const { upload, id } = await answer.json();
          const put = await fetch(upload.url, { method: upload.method, headers: upload.headers, body: file });
          if (!put.ok) throw new Error(put.statusText);
          this.files = [...this.files, `${id} ${file.name}`];
          this.unsaved();
        } catch { desk.notice(this.t("upload_failed", { name: file.name }), { kind: "bad" }); }
        this.note("");
      }
      input.value = "";
      this.showFiles();
    }

    showFiles() {
      const list = $("#composer-files", this.section);
      list.hidden = !this.files.length;
      list.replaceChildren(...this.files.map((file) => {
        const name = file.slice(file.indexOf(" ") + 1);
        const button = make("button", { type: "button", "aria-label": this.t("remove", { name }) }, "×");
        button.addEventListener("click", () => {
          this.files = this.files.filter((each) => each !== file);
          this.unsaved();
          this.showFiles();
        });
        return make("li", {}, name, button);
      }));
    }

    /* Who else is here */

    type(typing = true) {
      clearTimeout(this.resting);
      if (typing) this.resting = setTimeout(() => this.type(false), TYPED_WITHIN);
      if (typing === Boolean(this.typing)) return;
      this.typing = typing;
      this.report(typing);
    }

    async report(typing) {
      try {
        const answer = await desk.quietly(this.viewing, { number: this.number, typing: typing ? 1 : "" });
        if (answer.ok) this.others((await answer.json()).viewers);
      } catch { /* the next report says it */ }
    }

    others(viewers) {
      const said = ["typing", "viewing"].map((state) => {
        const names = viewers.filter((each) => each[1] === state).map((each) => each[0]);
        return names.length ? this.t(state, { name: names.join(this.t("between")) }) : "";
      }).filter(Boolean);
      const shown = $("#viewers", this.section);
      shown.hidden = !said.length;
      shown.classList.toggle("typing", viewers.some((each) => each[1] === "typing"));
      shown.textContent = said.join(" · ");
    }

    leave() {
      this.flush();
      clearTimeout(this.opening);
      clearInterval(this.seeing);
      this.type(false);
      clearTimeout(this.resting);
      this.ended.abort();
      last(this.viewing, { number: this.number, left: 1 });
    }
  }

  /* Ten seconds to take it back; then it goes out, whatever is open by then. */

  function wait(composer, { id, action, seconds }) {
    const { number, drafts } = composer, t = composer.t.bind(composer);
    const sends = { id, action, drafts, number, t, page: location.href };
    waiting.set(number, sends);
    sends.remove = desk.notice(t(`sent.${action}`), { kind: "undo", label: t("undo"), run: () => undo(sends), seconds: Math.max(seconds, 0.1) });
    sends.timer = setTimeout(() => commit(sends), seconds * 1000);
  }

  const composerOf = (number) => (current?.number === number ? current : null);

  async function commit(sends) {
    const { number, drafts, id, action, t } = sends;
    let answer, found;
    try {
      answer = await desk.post(`${drafts}/commit`, { id });
      found = await json(answer);
    } catch {
      sends.timer = setTimeout(() => commit(sends), SAVED_EVERY);
      return composerOf(number)?.note(t("later"));
    }
    waiting.delete(number);
    const composer = composerOf(number);
    if (answer.ok) {
      if (composer && !composer.saving) composer.draft = found.draft;
      desk.announce(t(`done.${action}`));
      composer?.note(t(`done.${action}`));
      return refresh(number);
    }
    if (composer) return composer.back(found);
    desk.notice(`${t("not_sent", { number })}${found.detail ? ` · ${found.detail}` : ""}`,
      { kind: "bad", label: t("look"), seconds: 0, run: () => open(number, sends.page) });
  }

  async function undo(sends) {
    const { number, drafts, id, t } = sends;
    clearTimeout(sends.timer);
    try {
      await composerOf(number)?.saving;
      const answer = await desk.post(`${drafts}/undo`, { id }), found = await answer.json();
      waiting.delete(number);
      if (!answer.ok) return desk.notice(t("too_late"));
      const composer = composerOf(number);
      if (!composer) return open(number, sends.page);
      const since = composer.dirty ? composer.text.trim() : "";
      composer.show(since && !found.text.includes(since) ? { ...found, text: `${found.text}\n\n${since}` } : found);
      if (since) composer.unsaved();
      composer.note(t("undone"));
      composer.field.focus();
    } catch { wait({ ...sends, t }, { ...sends, seconds: 0 }); }
  }

  /* The conversation, with what has just been sent. */
  async function refresh(number) {
    const ticket = $("#ticket");
    if (ticket?.dataset.number !== number || !window.htmx) return;
    const url = ticket.dataset.live ?? `${location.pathname}?part=conversation`;
    const answer = await desk.get(url);
    if (!answer.ok) return;
    const found = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of found.body.children) part.setAttribute("hx-swap-oob", "innerMorph");
    await htmx.swap({ text: found.body.innerHTML, target: "#live", swap: "none", sourceElement: document.body });
    Object.assign(ticket.dataset, desk.headOf(found));
  }

  function open(number, page) {
    const link = $(`#queue [data-ticket="${CSS.escape(number)}"] a`);
    if (link) link.click();
    else location.assign(page);
  }

  /** Open the ticket after this one; without one, the queue. */
  function next() {
    const rows = all("#queue [data-ticket]");
    const at = rows.findIndex((row) => row.dataset.ticket === current?.number);
    const link = $("a", rows[at + 1] ?? document.createElement("p"));
    if (link) link.click();
    else location.assign(document.body.dataset.home);
  }

  function start() {
    const section = $("#composer");
    if (section === (current?.section ?? null)) return;
    current?.leave();
    current = section ? new Composer(section) : null;
  }

  addEventListener("pagehide", () => {
    for (const { drafts, id, timer } of waiting.values()) {
      clearTimeout(timer);
      last(`${drafts}/commit`, { id });
    }
    waiting.clear();
    current?.flush();
    /* What is on its way is sent, though leaving ends the call. */
    if (current?.sending) last(`${current.drafts}/leaving`, current.sending);
    if (current) last(current.viewing, { number: current.number, left: 1 });
  });
  addEventListener("beforeunload", (event) => current?.failed && event.preventDefault());
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  new MutationObserver(start).observe($("#main"), { childList: true, subtree: true });
  document.addEventListener("deskbell:opened", start);
  start();
})();
