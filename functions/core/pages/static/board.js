/* The board: kept up to date without moving what is under the pointer; tickets dragged onto agents. */
(() => {
  "use strict";
  const board = document.getElementById("board"), { call, notice } = window.deskbell;
  const all = (selector, root = board) => [...root.querySelectorAll(selector)];
  const order = (part) => all("[data-row]", part).map((each) => each.dataset.row).join();
  const RESTING = 60000;
  let dragged, held, movedAt = 0, loading;

  const swap = (part, next) =>
    htmx.swap({ text: next.innerHTML, target: part, swap: "innerMorph", sourceElement: document.body });
  const apply = () => document.getElementById("board-apply");

  /* Whoever points at the board, or writes in a part of it, keeps what is there. */
  const pointed = () => dragged || (board.matches(":hover") && Date.now() - movedAt < RESTING);
  const written = (part) =>
    (part.contains(document.activeElement) && document.activeElement.matches("select, textarea")) ||
    all("textarea", part).some((each) => each.value !== each.defaultValue);

  function show(found, force) {
    let waits = false;
    for (const part of all("[data-part]")) {
      const next = found.getElementById(part.id);
      if (!next) continue;
      const moves = order(part) !== order(next);
      if (!force && (written(part) || (moves && (pointed() || part.contains(document.activeElement))))) waits ||= moves;
      else swap(part, next);
    }
    held = waits ? found : null;
    apply().hidden = !waits;
  }

  async function refresh() {
    if (loading || dragged) return;
    loading = true;
    try {
      const answer = await call(board.dataset.src, {}, true);
      if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch { /* the banner says that we are offline */ } finally {
      loading = false;
    }
  }

  /* The shell polls: every 15 s, less often when nobody is there, never when hidden. */
  document.addEventListener("deskbell:changed", refresh);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
  addEventListener("pointermove", () => { movedAt = Date.now(); }, { passive: true });
  document.addEventListener("click", ({ target }) => {
    if (target.closest("#board-apply") && held) show(held, true);
  });

  /* What came of an act is said; the focus goes on to what is next. */
  document.addEventListener("htmx:after:settle", () => {
    const said = board.querySelector("[data-notice]");
    if (!said) return;
    notice(said.textContent, { kind: said.dataset.notice === "bad" ? "bad" : "" });
    said.remove();
    setTimeout(() => {
      if (document.activeElement === document.body) board.querySelector("form :is(select, textarea), #assign-title, h1")?.focus();
    }, 50);
  });

  // Dragging does what the form of the ticket does

  const agent = ({ target }) => dragged && target.closest?.("[data-agent]");
  document.addEventListener("dragstart", (event) => {
    const row = event.target.closest?.(".row.assign");
    if (!row) return;
    dragged = row;
    row.classList.add("dragged");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", row.dataset.ticket);
  });
  document.addEventListener("dragover", (event) => {
    const over = agent(event);
    for (const each of all(".over")) if (each !== over) each.classList.remove("over");
    if (!over) return;
    event.preventDefault();
    over.classList.add("over");
  });
  document.addEventListener("drop", (event) => {
    const over = agent(event);
    if (!over) return;
    event.preventDefault();
    const form = dragged.querySelector("form");
    form.elements.recipient.value = over.dataset.agent;
    form.requestSubmit();
  });
  document.addEventListener("dragend", () => {
    dragged?.classList.remove("dragged");
    dragged = undefined;
    for (const each of all(".over")) each.classList.remove("over");
  });
})();
