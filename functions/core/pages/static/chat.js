// A customer's chat: every message is sent once, and what was said is there again after a reload.
(() => {
  const { chats, limit, texts, embedded } = document.body.dataset;
  const say = JSON.parse(texts), locale = document.documentElement.lang, isEmbedded = embedded !== undefined;
  const [log, welcome, typing, end, newer, live, contact, identify, verify, problem, verified, write, text, hint, person] =
    "log welcome typing end newer live contact identify verify problem verified write text hint person"
      .split(" ").map((id) => document.getElementById(id));

  // A browser may refuse the storage to a frame of another site; the chat then lasts until a reload.
  let store = {};
  try { store = sessionStorage; } catch {}
  const place = `chat ${chats}`;
  const saved = { unsent: [], ...JSON.parse(store[place] || "{}") };
  const save = () => { try { store[place] = JSON.stringify(saved); } catch {} };

  const seen = new Set(), nodes = new Map();
  let waiting = [], last = "", ticket, loaded = !saved.chat, beginning, timer, host;
  let atEnd = true, isClosed = isEmbedded, active = Date.now() - 2e4, queue = Promise.resolve();

  // One call at a time: an answer never overtakes another.
  const inTurn = (work) => (queue = queue.then(work, work));

  async function call(path, body, key) {
    const headers = { "Content-Type": "application/json", "Accept-Language": locale };
    if (saved.token) headers.Authorization = `Bearer ${saved.token}`;
    if (key) headers["Idempotency-Key"] = key;
    let response, answer;
    try {
      response = await fetch(chats + path, {
        method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(3e4),
      });
      answer = await response.json();
    } catch { throw { detail: say.offline }; }
    if (response.ok) return answer;
    if (response.status === 401) { delete saved.chat; delete saved.token; save(); }
    throw answer.errors?.[0] ? { ...answer, detail: answer.errors[0].message } : answer;
  }

  async function begin() {
    if (saved.chat) return;
    const [name, from] = [identify.name.value, identify.contact.value];
    const { chat, token, messages } = await (beginning ||= call("", { locale, name, contact: from })
      .finally(() => (beginning = null)));
    if (saved.chat) return;
    Object.assign(saved, { chat, token });
    save();
    seen.clear();
    receive(messages);
  }
  const inChat = async (path, body, key) => (await begin(), call(`/${saved.chat}/${path}`, body, key));

  // Showing. Texts are put in as text alone; only addresses of the web become links.
  const site = /(https?:\/\/[^\s<>"'，。；、！？（）《》]*[^\s<>"'，。；、！？（）《》.,;:!?)\]])/;
  const fill = (box, words) => box.replaceChildren(...words.split(site).map((part, i) =>
    i % 2 ? Object.assign(document.createElement("a"), { href: part, textContent: part, target: "_blank", rel: "noopener noreferrer nofollow" }) : part));

  const buttonsOf = (m) => m.from !== "assistant" ? []
    : m.kind === "rating" ? [1, 2, 3, 4, 5].map((n) => [n, "rating", { score: n }, say.score.replace("{n}", n)])
    : (m.options || []).map(({ id, label }) => [label, "choice", { option: id }, label]);

  function show(m, node) {
    if (!node) {
      node = document.getElementById("message").content.firstElementChild.cloneNode(true);
      typing.before(node);
    }
    node.dataset.from = m.from;
    node.querySelector(".who").textContent = say[`from.${m.from}`];
    fill(node.querySelector(".text"), m.from === "customer" && m.kind === "rating" ? say.score.replace("{n}", m.text) : m.text);
    const time = node.querySelector("time"), at = new Date(m.at), buttons = buttonsOf(m);
    if (time) {
      const isToday = at.toDateString() === new Date().toDateString();
      time.dateTime = m.at;
      time.textContent = at.toLocaleString(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...(!isToday && { month: "short", day: "numeric" }) });
    }
    if (buttons.length) {
      const group = node.querySelector(".options");
      group.classList.toggle("scores", m.kind === "rating");
      group.ariaLabel = m.kind === "rating" ? say.scores : say.options;
      group.append(...buttons.map(([label, path, body, said]) => {
        const button = Object.assign(document.createElement("button"), { type: "button", textContent: label, ariaLabel: said });
        button.onclick = () => { send(path, body, said); log.focus(); };
        return button;
      }));
    }
    if (m.ticket) {
      const card = document.getElementById("card").content.cloneNode(true), [label, number, link] = card.firstChild.children;
      label.textContent = say.ticket;
      number.textContent = m.ticket.number;
      link.textContent = say.status;
      link.href = m.ticket.status_url;
      if (isEmbedded) Object.assign(link, { target: "_blank", rel: "noopener" });
      node.append(card);
      ticket = m.ticket;
      contact.hidden = verified.hidden = person.hidden = true;
    }
    return node;
  }

  function mark(node, state, detail = "") {
    node.dataset.state = state;
    node.querySelector(".state").textContent = state === "failed" ? `${say.failed}${locale === "en" ? ". " : "。"}${detail}` : state === "sending" ? say.sending : "";
    node.querySelector(".retry").hidden = state !== "failed";
  }

  // What the desk has of a message may be masked.
  const isLike = (mine, theirs) => {
    const parts = theirs.split(/\*+/);
    return mine === theirs || (parts.length > 1 && mine.startsWith(parts[0]) && mine.endsWith(parts.at(-1)));
  };
  const done = (item) => {
    saved.unsent = saved.unsent.filter((each) => each !== item);
    waiting = waiting.filter((each) => each !== item);
    save();
  };

  function receive(messages, own) {
    const follows = atEnd || own, news = [];
    let first;
    for (const m of messages) {
      const isNew = !seen.has(m.id), isOwn = m.from === "customer";
      let node = isNew && !seen.size && !isOwn && welcome;
      if (isOwn && (own || isNew)) {
        const item = own || [...saved.unsent, ...waiting].find((each) => nodes.has(each) && each.passed && isLike(each.text, m.text));
        own = null;
        if (item) {
          done(item);
          node = nodes.get(item);
          mark(node, "sent");
          if (!isNew) node.remove();
        }
      }
      for (const each of saved.unsent) if (each.after === m.id) each.passed = true;
      if (!isNew) continue;
      seen.add((last = m.id));
      node = show(m, node);
      first ||= node;
      if (!isOwn && node !== welcome) news.push(`${say[`from.${m.from}`]}: ${m.text}`);
    }
    settle();
    if (!first) return;
    if (follows) follow(first); else if (news.length) newer.hidden = false;
    if (!news.length || !loaded) return;
    live.textContent = news.join("\n");
    active = Date.now();
    if (isClosed) toHost("unread");
  }

  // Only the last question can still be answered by its buttons.
  function settle() {
    const current = [...log.querySelectorAll("article:not([data-from=system])")].at(-1);
    for (const group of log.querySelectorAll(".options")) group.hidden = !group.children.length || group.parentNode !== current;
  }

  function follow(first) {
    end.scrollIntoView({ block: "end" });
    if (first?.offsetHeight > log.clientHeight) first.scrollIntoView();
  }

  // Sending. A message has its key before it leaves, so that sending it again changes nothing.
  function send(path, body, said) {
    const item = { key: crypto.randomUUID(), path, body, text: said, after: last, passed: true };
    saved.unsent.push(item);
    save();
    stage(item);
    deliver(item);
  }

  function stage(item) {
    const node = show({ from: "customer", text: item.text, at: new Date().toISOString() });
    nodes.set(item, node);
    const retry = node.querySelector(".retry");
    retry.textContent = say.retry;
    retry.onclick = () => { deliver(item); log.focus(); };
    mark(node, "sending");
    settle();
    follow();
  }

  function deliver(item) {
    const node = nodes.get(item);
    mark(node, "sending");
    active = Date.now();
    inTurn(async () => {
      if (!saved.unsent.includes(item)) return;
      typing.hidden = !!ticket;
      follow();
      try {
        const { messages } = await inChat(item.path, item.body, item.key);
        typing.hidden = true;
        done(item);
        mark(node, "sent");
        if (ticket && item.path === "messages") waiting.push(item);
        receive(messages, item.path === "handover" ? null : item);
      } catch (refused) {
        mark(node, "failed", refused.detail);
        live.textContent = `${say.failed}: ${refused.detail}`;
        if (refused.errors?.[0].field === "contact") { contact.open = true; problem.textContent = refused.detail; }
      }
      typing.hidden = true;
    }).then(() => poll(ticket && 300));
  }

  // Nothing comes unasked before a person has taken over.
  const refresh = () => inTurn(async () => {
    if (!saved.chat) return;
    try {
      receive((await call(`/${saved.chat}/messages?after=${encodeURIComponent(last)}`)).messages);
      loaded = true;
    } catch { loaded ||= !saved.chat; }
  });

  function poll(soon) {
    clearTimeout(timer);
    if (document.hidden || (loaded && !ticket)) return;
    const quiet = Date.now() - active;
    const wait = isClosed || quiet > 6e5 ? 6e4 : quiet > 2e4 ? 1e4 : 2e3;
    timer = setTimeout(() => refresh().then(() => poll()), soon || wait);
  }

  const again = () => { for (const item of saved.unsent) if (nodes.get(item)?.dataset.state === "failed") deliver(item); };
  addEventListener("online", again);
  document.addEventListener("visibilitychange", () => poll(1));

  // Writing.
  function changed() {
    const over = text.value.trim().length - limit;
    hint.textContent = over > 0 ? say.too_long.replace("{n}", over) : "";
    saved.draft = text.value;
    save();
    // The engine starts while the customer writes.
    if (text.value && !saved.chat) inTurn(begin).catch(() => {});
    return over <= 0;
  }
  text.oninput = changed;
  write.onsubmit = (event) => {
    event.preventDefault();
    const words = text.value.trim();
    if (!words || !changed()) return;
    text.value = saved.draft = "";
    send("messages", { text: words }, words);
    text.focus();
  };
  text.onkeydown = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    write.requestSubmit();
  };
  person.onclick = () => { send("handover", {}, person.textContent.trim()); log.focus(); };
  newer.onclick = () => { newer.hidden = true; follow(); log.focus(); };

  function prove(form, body, then) {
    form.onsubmit = (event) => {
      event.preventDefault();
      problem.textContent = "";
      inTurn(async () => {
        try {
          receive((await inChat("verification", body(), crypto.randomUUID())).messages);
          then();
        } catch ({ detail }) { problem.textContent = detail; form.querySelector("[required]").focus(); }
      });
    };
  }
  const asks = (code) => {
    verify.hidden = !code;
    identify.hidden = code;
    problem.textContent = "";
    (code ? verify.code : identify.contact).focus();
  };
  prove(identify, () => ({ contact: identify.contact.value }), () => asks(true));
  prove(verify, () => ({ code: verify.code.value }), () => {
    saved.verified = contact.hidden = true;
    verified.hidden = false;
    save();
    text.focus();
  });
  document.getElementById("again").onclick = () => asks(false);

  // In a frame: the page around it opens and closes the chat, and hears of what is new.
  const toHost = (word) => host && parent.postMessage({ deskbell: word }, host);
  if (isEmbedded) {
    const close = document.getElementById("close");
    addEventListener("message", (event) => {
      if (event.source !== parent || !["open", "closed"].includes(event.data?.deskbell)) return;
      host = event.origin;
      close.hidden = false;
      isClosed = event.data.deskbell === "closed";
      if (!isClosed) text.focus();
      poll(!isClosed && 1);
    });
    close.onclick = () => toHost("close");
    document.addEventListener("keydown", (event) => { if (event.key === "Escape" && !event.isComposing) toHost("close"); });
  }

  new IntersectionObserver(([seen]) => { if ((atEnd = seen.isIntersecting)) newer.hidden = true; }).observe(end);
  new ResizeObserver(() => atEnd && end.scrollIntoView({ block: "end" })).observe(log);
  // The keyboard of a phone covers the page without changing its size.
  if (window.visualViewport) visualViewport.onresize = () =>
    document.body.style.setProperty("--height", `${visualViewport.height * visualViewport.scale}px`);

  for (const button of document.querySelectorAll("button:disabled")) button.disabled = false;
  text.value = saved.draft || "";
  contact.hidden = saved.verified;
  verified.hidden = !saved.verified;
  for (const item of saved.unsent) item.passed = !item.after;
  refresh().then(() => {
    for (const item of saved.unsent) { stage(item); deliver(item); }
    poll();
  });
})();
