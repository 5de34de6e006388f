/* Settings of this browser; sounds and desktop notifications say a number and what happened, never who. */
const { announce, notice, rows, setting, t } = window.deskbell;
const { home } = document.body.dataset;

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

export function test() {
  alert(t("test"));
  if (setting("sound") !== "1") beep();
}

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
