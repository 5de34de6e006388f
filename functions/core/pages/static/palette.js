/* The palette of the workbench (Ctrl+K), loaded when it is first opened. */
const { commands, run, t } = window.deskbell;
const { home } = document.body.dataset;

const palette = document.querySelector("#palette");
const entry = palette.querySelector("input");
const list = palette.querySelector("ul");
const actions = new WeakMap();

export function openPalette() {
  entry.value = "";
  showCommands();
  palette.showModal();
}

function showCommands() {
  const wanted = entry.value.trim(), shown = new Map();
  for (const element of commands("[data-key], [data-command]")) {
    const { label, key = "" } = element.dataset;
    const text = (label ?? element.ariaLabel ?? element.textContent).trim();
    if (text.toLowerCase().includes(wanted.toLowerCase()) && !shown.has(text)) shown.set(text, [() => run(element), key]);
  }
  const number = wanted.toUpperCase(), search = document.querySelector(".search input");
  if (/^[A-Z]*\d{6,}$/.test(number)) {
    shown.set(t("open_ticket", { number }), [() => location.assign(`${home}/tickets/${number}`)]);
  } else if (wanted && search) {
    const find = () => { search.value = wanted; search.form.requestSubmit(); };
    shown.set(t("search", { text: wanted }), [find]);
  }
  list.replaceChildren(...[...shown].map(([text, [action, key]], at) => {
    const option = document.createElement("li");
    option.role = "option";
    option.id = `command-${at}`;
    option.append(text);
    if (key) option.appendChild(document.createElement("kbd")).append(key);
    actions.set(option, action);
    return option;
  }));
  choose(0);
}

function choose(at) {
  const options = [...list.children], chosen = options[(at + options.length) % options.length];
  for (const each of options) each.ariaSelected = String(each === chosen);
  entry.setAttribute("aria-activedescendant", chosen?.id ?? "");
  chosen?.scrollIntoView({ block: "nearest" });
}

function carryOut(option) {
  if (!option) return;
  palette.close();
  actions.get(option)();
}

entry.addEventListener("input", showCommands);
list.addEventListener("click", ({ target }) => carryOut(target.closest("li")));
palette.addEventListener("click", ({ target }) => target === palette && palette.close());
palette.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const at = [...list.children].findIndex((each) => each.ariaSelected === "true");
  if (event.key === "Enter") carryOut(list.children[at]);
  else if (event.key === "ArrowDown") choose(at + 1);
  else if (event.key === "ArrowUp") choose(at - 1);
  else return;
  event.preventDefault();
});
