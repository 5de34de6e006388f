// A customer's chat: every message is sent once, and what was said is there again after a reload.
(() => {
  const { chats, limit, texts, embedded, privacy_version } = document.body.dataset, frame = {};
  const say = JSON.parse(texts), locale = document.documentElement.lang;
  const { log, welcome, message, typing, end, newer, live, contact, identify, problem, write, text, hint, person } =
    new Proxy({}, { get: (_, id) => document.getElementById(id) });
  const part = (node, name) => node.querySelector(name);

  // A browser may refuse the storage to a frame of another site; the chat then ends with the page.
  let store = {};
  try { store = sessionStorage; } catch {}
  const saved = { unsent: [], ...JSON.parse(store[chats] || "{}") };
  const save = (fields) => { store[chats] = JSON.stringify(Object.assign(saved, fields)); };

  const seen = new Set(), nodes = new Map();
  let last = "", atEnd = true, active = 0, queue = Promise.resolve(), isLoaded, isHandedOver, begun, timer;

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
    } catch { throw { message: say.offline }; }
    if (response.ok) return answer;
    if (response.status === 401) save({ chat: "" });
    throw answer.errors?.[0] || { message: answer.detail };
  }

  async function begin() {
    if (saved.chat) return;
    const { chat, token, messages } =
      await call("", { locale, privacy_version, name: identify.name.value, contact: identify.contact.value });
    save({ chat, token });
    seen.clear();
    receive(messages);
  }
  const inChat = async (path, body, key) =>
    (await begin(), (await call(`/${saved.chat}/${path}`, body, key)).messages);

  // Texts are put in as text alone; only addresses of the web become links.
  const make = (name, fields) => Object.assign(document.createElement(name), fields);
  const linked = (words, i) => i % 2 ? make("a", { href: words, textContent: words, target: "_blank", rel: "noopener noreferrer" }) : words;
  const score = (n) => say.score.replace("{n}", n);
  const day = (at) => at.toLocaleDateString(locale, { month: "short", day: "numeric" });

  const button = (textContent, said, path, body) =>
    make("button", { textContent, ariaLabel: said, onclick: () => send(path, body, said) });

  function show({ from, kind, text: words, at, lang = locale, options = [], ticket }, node) {
    if (!node) typing.before(node = part(message.content, "article").cloneNode(true));
    const sent = new Date(at), isScore = kind === "rating";
    node.dataset.from = from;
    part(node, ".who").textContent = say[from];
    part(node, ".text").lang = lang;
    part(node, ".text").replaceChildren(...(isScore && from === "customer" ? score(words) : words)
      .split(/(https?:\/\/[!-~]*[\w/=#&-])/).map(linked));
    part(node, "time").textContent = (day(sent) === day(new Date()) ? "" : `${day(sent)} `)
      + sent.toLocaleTimeString(locale, { timeStyle: "short", hourCycle: "h23" });
    if (from === "assistant") part(node, ".options").replaceChildren(...isScore
      ? [1, 2, 3, 4, 5].map((n) => button(n, score(n), "rating", { score: n }))
      : options.map(({ id, label }) => button(label, label, "choice", { option: id })));
    if (ticket) {
      part(node, "strong").textContent = ticket.number;
      part(node, ".ticket a").href = ticket.status_url;
      isHandedOver = contact.hidden = person.hidden = true;
    } else part(node, ".ticket")?.remove();
    return node;
  }

  const done = (item) => save({ unsent: saved.unsent.filter((each) => each !== item) });

  function receive(messages, own) {
    const follows = atEnd || own, news = [];
    let first;
    for (const m of messages) {
      const isNew = !seen.has(m.id), isOwn = m.from === "customer";
      let node = !seen.size && welcome;
      if (isOwn && (own || isNew)) {
        const open = saved.unsent.filter((each) => !each.after || seen.has(each.after));
        const item = own || open.find((each) => each.text === m.text) || open.find((each) => each.isSent);
        own = null;
        done(item);
        if (node = nodes.get(item)) isNew ? mark(node, "sent") : node.remove();
      }
      if (!isNew) continue;
      seen.add(last = m.id);
      node = show(m, node);
      first ||= node;
      if (!isOwn && node !== welcome) news.push(`${say[m.from]}: ${m.text}`);
    }
    // A long answer is read from the question on.
    if (follows) (isLoaded && first || end).scrollIntoView();
    else newer.hidden &&= !news.length;
    if (!isLoaded || !news.length) return;
    live.textContent = news;
    active = Date.now();
    if (frame.isClosed) frame.toHost("unread");
  }

  function mark(node, state, why = "") {
    node.dataset.state = state;
    part(node, ".why").textContent = why;
  }

  // A message has its key before it leaves, so that sending it again changes nothing.
  function send(path, body, said) {
    const item = { key: crypto.randomUUID(), path, body, text: said, after: last };
    save({ unsent: [...saved.unsent, item] });
    log.focus();
    deliver(item);
  }

  function deliver(item) {
    const node = nodes.get(item) || show({ from: "customer", text: item.text, at: Date.now() });
    nodes.set(item, node);
    part(node, ".retry").onclick = () => { log.focus(); deliver(item); };
    mark(node, "sending");
    end.scrollIntoView();
    inTurn(async () => {
      if (!saved.unsent.includes(item)) return;
      typing.hidden = isHandedOver;
      end.scrollIntoView();
      active = Date.now();
      try {
        const messages = await inChat(item.path, item.body, item.key);
        mark(node, "sent");
        item.isSent = true;
        if (item.path === "handover") done(item);
        receive(messages, item);
      } catch ({ message, field }) {
        mark(node, "failed", message);
        if (field === "contact") contact.open = problem.textContent = message;
      }
      typing.hidden = true;
    }).then(() => poll(1e3));
  }

  // Nothing comes unasked before a person has taken over.
  const refresh = () => inTurn(async () => {
    try {
      if (saved.chat) receive((await call(`/${saved.chat}/messages?after=${last}`)).messages);
      isLoaded = true;
    } catch {}
  });

  function poll(soon) {
    clearTimeout(timer);
    if (document.hidden || isLoaded && !isHandedOver) return;
    const quiet = Date.now() - active;
    timer = setTimeout(() => refresh().then(poll),
      soon || (frame.isClosed || quiet > 6e5 ? 6e4 : quiet > 2e4 ? 1e4 : 2e3));
  }
  document.onvisibilitychange = () => poll(1);
  window.ononline = () => { for (const [item, node] of nodes) if (node.dataset.state === "failed") deliver(item); };

  text.oninput = () => {
    const over = text.value.trim().length - limit;
    save({ draft: text.value });
    hint.textContent = over > 0 ? say.too_long.replace("{n}", over) : "";
    // The engine starts while the customer writes.
    begun ||= inTurn(begin).catch(() => {});
  };
  text.onkeydown = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    write.requestSubmit();
    return false;
  };
  document.onsubmit = () => false;
  write.onsubmit = () => {
    const words = text.value.trim();
    if (!words || hint.textContent) return;
    save({ draft: text.value = "" });
    send("messages", { text: words }, words);
    text.focus();
  };
  person.onclick = () => send("handover", {}, person.innerText);
  newer.onclick = () => { end.scrollIntoView(); log.focus(); };
  contact.ontoggle = async () => {
    identify.name.parentNode.hidden = saved.chat;
    (await import(contact.dataset.script)).default({ inTurn, inChat, receive, save });
  };
  if (embedded) import(embedded).then((module) => module.default(frame, { poll }));

  new IntersectionObserver(([{ isIntersecting }]) => { if (atEnd = isIntersecting) newer.hidden = true; }).observe(end);
  new ResizeObserver(() => atEnd && end.scrollIntoView()).observe(log);

  for (const button of document.querySelectorAll(":disabled")) button.disabled = false;
  text.value = saved.draft || "";
  contact.hidden = saved.isVerified;
  refresh().then(() => { saved.unsent.map(deliver); poll(); });
})();
