/* The palette and the alerts of the workbench, loaded by those who use them. */
const { announce, commands, notice, rows, run, setting, t } = window.deskbell;
const { home } = document.body.dataset;

// Palette

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

// Alerts: a number and what happened, never who

const NEAR = 5 * 60 * 1000;
const mine = new Map(), warned = new Set();
let known = false, sounds;

function beep() {
  sounds ??= new AudioContext();
  const at = sounds.currentTime, volume = sounds.createGain();
  volume.connect(sounds.destination);
  volume.gain.setValueAtTime(0.15, at);
  volume.gain.exponentialRampToValueAtTime(0.001, at + 0.4);
  for (const [pitch, start] of [[660, 0], [880, 0.14]]) {
    const tone = sounds.createOscillator();
    tone.frequency.value = pitch;
    tone.connect(volume);
    tone.start(at + start);
    tone.stop(at + 0.4);
  }
}

function alert(text, number) {
  if (setting("sound") === "1") beep();
  if (setting("desktop") === "1" && Notification.permission === "granted") {
    const shown = new Notification(text, { tag: `deskbell-${number ?? "test"}` });
    shown.onclick = () => {
      focus();
      if (number) location.assign(`${home}/tickets/${number}`);
    };
  }
  announce(text);
}

/* Browsers ask for permission when the person chooses the setting, never before. */
export async function allow(name) {
  if (name === "sound") beep();
  else if ((await Notification.requestPermission()) !== "granted") notice(t("denied"), { kind: "bad" });
}

export const test = () => {
  alert(t("test"));
  if (setting("sound") !== "1") beep();
};

/* Compare my queue with what it was, after something on the desk has changed. */
export async function watch(changed) {
  if (changed.length || !known) {
    const html = await rows(`${home}?queue=mine`);
    if (html === null) return;
    const found = new Map();
    for (const row of new DOMParser().parseFromString(html, "text/html").querySelectorAll("[data-ticket]")) {
      found.set(row.dataset.ticket, row.dataset.due);
    }
    const open = document.querySelector("#ticket")?.dataset.number;
    const versions = new Map(changed);
    for (const number of found.keys()) {
      if (known && !mine.has(number)) alert(t("new_ticket", { number }), number);
      else if (known && versions.has(number) && number !== open) alert(t("changed", { number }), number);
    }
    mine.clear();
    for (const [number, due] of found) mine.set(number, due);
    known = true;
  }
  for (const [number, due] of mine) {
    const left = Date.parse(due) - Date.now();
    if (left > 0 && left < NEAR && !warned.has(number + due)) {
      warned.add(number + due);
      alert(t("near_due", { number }), number);
    }
  }
}
