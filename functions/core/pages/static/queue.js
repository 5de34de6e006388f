/* The queue: the time left stays right, keys move between rows, and what is applied keeps its place. */
(() => {
  "use strict";
  const column = document.getElementById("queue");
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const rowOf = (element) => element?.closest?.("#queue .row, #found .row");
  const link = (row) => row?.querySelector("a");
  const numbered = (number) => number && column?.querySelector(`.row[data-ticket="${CSS.escape(number)}"]`);

  // The time left, by the patterns of the server

  const fill = (pattern, values) => pattern.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const formats = new Map();

  /* Day, weekday (0 is Monday) and time of an instant at the desk. */
  function local(at, timeZone) {
    if (!formats.has(timeZone)) {
      formats.set(timeZone, new Intl.DateTimeFormat("en-GB", {
        timeZone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
      }));
    }
    const parts = Object.fromEntries(formats.get(timeZone).formatToParts(at).map(({ type, value }) => [type, value]));
    const day = Date.UTC(parts.year, parts.month - 1, parts.day) / 864e5;
    return { ...parts, number: day, weekday: (day + 3) % 7, clock: `${parts.hour}:${parts.minute}` };
  }

  function words(due, now, patterns, zone) {
    const left = due - now, over = -left;
    if (left <= 0) {
      const name = over < 36e5 ? "minutes" : over < 864e5 ? "hours" : "days";
      return fill(patterns[`late.${name}`], {
        m: Math.max(1, Math.floor(over / 6e4)), h: Math.floor(over / 36e5), d: Math.floor(over / 864e5),
      });
    }
    const minutes = Math.ceil(left / 6e4);
    if (minutes < 60) return fill(patterns.minutes, { m: minutes });
    if (minutes < 120) return fill(patterns.hours, { h: 1, m: minutes - 60 });
    const at = local(due, zone), days = at.number - local(now, zone).number;
    const name = days === 0 ? "today" : days === 1 ? "tomorrow" : days > 0 && days < 7 ? "week" : "date";
    return fill(patterns[name], {
      clock: at.clock,
      day: Number(at.day),
      weekday: patterns.weekdays.split(" ")[at.weekday],
      month: patterns.months.split(" ")[at.month - 1],
    });
  }

  function refresh() {
    const now = Date.now();
    for (const list of all("[data-due-patterns]")) {
      const patterns = JSON.parse(list.dataset.duePatterns);
      for (const time of all("time[datetime]", list)) {
        const due = Date.parse(time.dateTime), text = words(due, now, patterns, list.dataset.zone);
        const haste = due <= now ? "late" : due - now < 36e5 ? "soon" : "";
        if (time.textContent !== text) time.textContent = text;
        if (time.className !== haste) time.className = haste;
      }
    }
  }
  setInterval(() => { if (!document.hidden) refresh(); }, 2e4);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });

  // The ticket that is open, and those that are selected

  const selected = new Set();
  let open = document.getElementById("ticket")?.dataset.number, focused, top = 0;

  function mark() {
    for (const row of all(".row", column ?? undefined)) {
      const is = row.dataset.ticket === open;
      if (is) link(row).setAttribute("aria-current", "true");
      else link(row).removeAttribute("aria-current");
      const box = row.querySelector(".pick input");
      if (box) box.checked = selected.has(row.dataset.ticket);
    }
    count();
  }

  function count() {
    const output = column?.querySelector(".bulk output");
    if (output) output.textContent = selected.size ? fill(output.dataset.selected, { n: selected.size }) : "";
  }

  // The shell compares the rows with new ones: their times are those of now.
  document.addEventListener("deskbell:changed", refresh);
  document.addEventListener("deskbell:opened", ({ detail }) => { open = detail.number; mark(); });
  document.addEventListener("change", ({ target }) => {
    if (!target.matches?.(".pick input")) return;
    if (target.checked) selected.add(target.value);
    else selected.delete(target.value);
    count();
  });

  /* What replaces the rows keeps the focus, the selection and the place of the column. */
  if (column) {
    column.addEventListener("scroll", () => { if (column.querySelector(".row")) top = column.scrollTop; }, { passive: true });
    column.addEventListener("focusin", ({ target }) => { focused = rowOf(target)?.dataset.ticket; });
    column.addEventListener("focusout", ({ relatedTarget }) => { if (relatedTarget && !column.contains(relatedTarget)) focused = undefined; });
    new MutationObserver((changes) => {
      if (!changes.some(({ addedNodes }) => [...addedNodes].some((node) => node.nodeType === 1))) return;
      for (const number of selected) if (!numbered(number)) selected.delete(number);
      mark();
      showView();
      refresh();
      noteLength();
      if (column.scrollTop !== top) column.scrollTop = top;
      const active = document.activeElement, row = numbered(focused);
      if (row && !row.contains(active) && (active === document.body || rowOf(active))) link(row).focus({ preventScroll: true });
    }).observe(column, { childList: true, subtree: true });
  }

  /* What is fetched again is as long as what is shown. */
  function noteLength() {
    const source = column.querySelector("[data-src]");
    if (!source) return;
    const address = new URL(source.dataset.src, location), rows = all(".row", column).length;
    address.searchParams.set("rows", rows);
    source.dataset.src = address.pathname + address.search;
  }

  function showView() {
    const current = column?.querySelector(".views [aria-current]"), list = current?.closest("ul");
    if (list) list.scrollLeft = Math.max(0, current.offsetLeft - list.offsetLeft - 8);
  }

  // Keys: the shell clicks what carries them, and moves in the queue itself

  function move(by) {
    const rows = all("#found .row");
    const at = rows.findIndex((row) => row.contains(document.activeElement));
    link(rows[Math.max(0, Math.min(at + by, rows.length - 1))])?.focus();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-move], [data-select]");
    if (!button) return;
    if (button.dataset.move) return move(Number(button.dataset.move));
    const row = rowOf(document.activeElement) ?? numbered(focused) ?? numbered(open);
    row?.querySelector(".pick input")?.click();
  });

  // A contact is hidden when its time has passed

  function watch(card) {
    const shown = card.querySelector("[data-shown-until]");
    if (!shown || shown.dataset.watched) return;
    shown.dataset.watched = "true";
    setTimeout(() => {
      if (!shown.isConnected) return;
      card.querySelector("time").remove();
      shown.remove();
      card.querySelector(".gone").hidden = false;
    }, Number(shown.dataset.seconds) * 1000);
  }
  const watchAll = () => all(".contact-card").forEach(watch);
  new MutationObserver(watchAll).observe(document.body, { childList: true, subtree: true });
  addEventListener("pageshow", (event) => { if (event.persisted) all("[data-shown-until]").forEach((each) => each.remove()); });

  watchAll();
  for (const box of all(".pick input:checked", column ?? undefined)) selected.add(box.value);
  mark();
  showView();
  refresh();
})();
