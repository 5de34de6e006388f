// A customer's chat: every message is sent once, and what was said is there again after a reload.
(() => {
  const { chats, limit, texts, embedded } = document.body.dataset;
  const say = JSON.parse(texts), locale = document.documentElement.lang;
  const [log, welcome, template, typing, end, newer, live, contact, identify, verify, problem, write, text, hint, person] =
    "log welcome message typing end newer live contact identify verify problem write text hint person"
      .split(" ").map((id) => document.getElementById(id));
  const part = (node, name) => node.querySelector(name);
  const on = (target, event, run) => target.addEventListener(event, run);

  // A browser may refuse the storage to a frame of another site; the chat then ends with the page.
  let store = {};
  try { store = sessionStorage; } catch {}
  const saved = { unsent: [], ...JSON.parse(store[chats] || "{}") };
  const save = (fields) => { store[chats] = JSON.stringify(Object.assign(saved, fields)); };

  const seen = new Set(), nodes = new Map();
  let last = "", atEnd = true, active = 0, queue = Promise.resolve(), isLoaded, isHandedOver, isClosed, begun, timer, host;

  // One call at a time: an answer never overtakes another.
  const inTurn = (work) => (queue = queue.then(work, work));

  async function call(path, body, key = "") {
    let response, answer;
    try {
      response = await fetch(chats + path, {
        method: body ? "POST" : "GET",
        headers: {
          Authorization: `Bearer ${saved.token || ""}`, "Content-Type": "application/json",
          "Accept-Language": locale, "Idempotency-Key": key,
        },
        body: body && JSON.stringify(body),
        signal: AbortSignal.timeout(3e4),
      });
      answer = await response.json();
    } catch { throw { detail: say.offline }; }
    if (response.ok) return answer;
    if (response.status === 401) save({ chat: "" });
    throw { detail: answer.errors?.[0].message || answer.detail, field: answer.errors?.[0].field };
  }

  async function begin() {
    if (saved.chat) return;
    const { chat, token, messages } =
      await call("", { locale, name: identify.name.value, contact: identify.contact.value });
    save({ chat, token });
    seen.clear();
    receive(messages);
  }
  const inChat = async (path, body, key) =>
    (await begin(), (await call(`/${saved.chat}/${path}`, body, key)).messages);

  // Texts are put in as text alone; only addresses of the web become links.
  const site = /(https?:\/\/[^\s<>"'，。；、！？（）《》]*[^\s<>"'，。；、！？（）《》.,;:!?)\]])/;
  const linked = (words, i) => i % 2 ? Object.assign(document.createElement("a"),
    { href: words, textContent: words.length > 50 ? `${words.slice(0, 49)}…` : words, target: "_blank", rel: "noopener noreferrer nofollow" }) : words;

  function show({ from, kind, text: words, at, options = [], ticket }, node) {
    if (!node) typing.before(node = part(template.content, "article").cloneNode(true));
    const isScore = kind === "rating", score = (n) => say.score.replace("{n}", n);
    node.dataset.from = from;
    part(node, ".who").textContent = say[from];
    part(node, ".text").replaceChildren(
      ...(isScore && from === "customer" ? score(words) : words).split(site).map(linked));
    const day = (when) => when.toLocaleDateString(locale, { month: "short", day: "numeric" });
    const sent = new Date(at), time = sent.toLocaleTimeString(locale, { timeStyle: "short", hourCycle: "h23" });
    part(node, "time").textContent = day(sent) === day(new Date()) ? time : `${day(sent)} ${time}`;
    const button = (label, said, path, body) => {
      const made = document.createElement("button");
      made.textContent = label;
      made.ariaLabel = said;
      made.onclick = () => { log.focus(); send(path, body, said); };
      return made;
    };
    if (from === "assistant") part(node, ".options").replaceChildren(...isScore
      ? [1, 2, 3, 4, 5].map((n) => button(n, score(n), "rating", { score: n }))
      : options.map(({ id, label }) => button(label, label, "choice", { option: id })));
    if (ticket) {
      part(node, "strong").textContent = ticket.number;
      part(node, ".ticket a").href = ticket.status_url;
      part(node, ".ticket").hidden = false;
      isHandedOver = contact.hidden = person.hidden = true;
    }
    return node;
  }

  // What the desk keeps of a message may be masked.
  const isLike = (mine, theirs) => {
    const [start, ...rest] = theirs.split(/\*+/);
    return rest.length ? mine.startsWith(start) && mine.endsWith(rest.pop()) : mine === start;
  };
  const done = (item) => save({ unsent: saved.unsent.filter((each) => each !== item) });

  function receive(messages, own) {
    const follows = atEnd || own, news = [];
    let first;
    for (const m of messages) {
      const isNew = !seen.has(m.id), isOwn = m.from === "customer";
      let node = !seen.size && welcome;
      if (isOwn && (own || isNew)) {
        const open = saved.unsent.filter((each) => !each.after || seen.has(each.after));
        const item = own || open.find((each) => isLike(each.text, m.text)) || open.find((each) => each.isSent);
        own = null;
        if (item) done(item);
        if (node = nodes.get(item)) isNew ? mark(node, "sent") : node.remove();
      }
      if (!isNew) continue;
      seen.add(last = m.id);
      node = show(m, node);
      first ||= node;
      if (!isOwn && node !== welcome) news.push(`${say[m.from]}: ${m.text}`);
    }
    if (follows) follow(first); else newer.hidden &&= !news.length;
    if (!isLoaded || !news.length) return;
    live.textContent = news;
    active = Date.now();
    if (isClosed) toHost("unread");
  }

  // The end of the conversation, or the beginning of what is longer than the window.
  function follow(first) {
    end.scrollIntoView();
    if (first?.offsetHeight > log.offsetHeight) first.scrollIntoView();
  }

  function mark(node, state, why = "") {
    node.dataset.state = state;
    part(node, ".why").textContent = why;
  }

  // A message has its key before it leaves, so that sending it again changes nothing.
  function send(path, body, said) {
    const item = { key: crypto.randomUUID(), path, body, text: said, after: last };
    save({ unsent: [...saved.unsent, item] });
    deliver(item);
  }

  function deliver(item) {
    const node = nodes.get(item) || show({ from: "customer", text: item.text, at: Date.now() });
    nodes.set(item, node);
    part(node, ".retry").onclick = () => { log.focus(); deliver(item); };
    mark(node, "sending");
    follow();
    inTurn(async () => {
      if (!saved.unsent.includes(item)) return;
      typing.hidden = isHandedOver;
      follow();
      active = Date.now();
      try {
        const messages = await inChat(item.path, item.body, item.key);
        mark(node, "sent");
        item.isSent = true;
        if (item.path === "handover") done(item);
        receive(messages, item.path !== "handover" && item);
      } catch ({ detail, field }) {
        mark(node, "failed", detail);
        if (field === "contact") contact.open = problem.textContent = detail;
      }
      typing.hidden = true;
    }).then(() => poll(1e3));
  }

  // Nothing comes unasked before a person has taken over.
  const refresh = () => inTurn(async () => {
    try {
      if (saved.chat) receive((await call(`/${saved.chat}/messages?after=${last}`)).messages);
      isLoaded = true;
    } catch { isLoaded ||= !saved.chat; }
  });

  function poll(soon) {
    clearTimeout(timer);
    if (document.hidden || isLoaded && !isHandedOver) return;
    const quiet = Date.now() - active;
    timer = setTimeout(() => refresh().then(poll), soon || (isClosed || quiet > 6e5 ? 6e4 : quiet > 2e4 ? 1e4 : 2e3));
  }
  on(document, "visibilitychange", () => poll(1));
  on(window, "online", () => { for (const [item, node] of nodes) if (node.dataset.state === "failed") deliver(item); });

  text.oninput = () => {
    save({ draft: text.value });
    const over = text.value.trim().length - limit;
    hint.textContent = over > 0 ? say.too_long.replace("{n}", over) : "";
    // The engine starts while the customer writes.
    begun ||= inTurn(begin).catch(() => {});
  };
  write.onsubmit = (event) => {
    event.preventDefault();
    const words = text.value.trim();
    if (!words || hint.textContent) return;
    save({ draft: text.value = "" });
    send("messages", { text: words }, words);
    text.focus();
  };
  text.onkeydown = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    write.requestSubmit();
  };
  person.onclick = () => { log.focus(); send("handover", {}, person.innerText); };
  newer.onclick = () => { follow(); log.focus(); };

  contact.ontoggle = () => { identify.name.parentNode.hidden = saved.chat; };
  const ask = (form) => {
    identify.hidden = form !== identify;
    verify.hidden = form !== verify;
    part(form, "[required]").focus();
  };
  const prove = (form, name, then) => form.onsubmit = (event) => {
    event.preventDefault();
    problem.textContent = "";
    inTurn(async () => {
      try {
        receive(await inChat("verification", { [name]: form[name].value }, crypto.randomUUID()));
        then();
      } catch ({ detail }) { problem.textContent = detail; form[name].focus(); }
    });
  };
  prove(identify, "contact", () => ask(verify));
  prove(verify, "code", () => { save({ isVerified: contact.hidden = true }); text.focus(); });
  part(verify, "[type=button]").onclick = () => ask(identify);

  // In a frame: the page around it opens and closes the chat, and hears of what is new.
  const toHost = (word) => host && parent.postMessage({ deskbell: word }, host);
  if (embedded) on(window, "message", ({ source, origin, data }) => {
    if (source !== parent || !/^(open|closed)$/.test(data?.deskbell)) return;
    host = origin;
    isClosed = data.deskbell === "closed";
    if (!isClosed) text.focus();
    poll(!isClosed);
  });
  for (const close of document.querySelectorAll("#close")) close.onclick = () => toHost("close");
  on(document, "keydown", (event) => { if (event.key === "Escape" && !event.isComposing) toHost("close"); });

  new IntersectionObserver(([{ isIntersecting }]) => { if (atEnd = isIntersecting) newer.hidden = true; }).observe(end);
  new ResizeObserver(() => atEnd && end.scrollIntoView()).observe(log);
  // The keyboard of a phone covers the page without changing its size.
  on(visualViewport, "resize", () =>
    document.body.style.setProperty("--height", `${visualViewport.height * visualViewport.scale}px`));

  for (const button of document.querySelectorAll(":disabled")) button.disabled = false;
  text.value = saved.draft || "";
  contact.hidden = saved.isVerified;
  refresh().then(() => { saved.unsent.map(deliver); poll(); });
})();
