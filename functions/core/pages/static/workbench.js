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
    else offlineBar = notice(t("offline"), { kind: "offline", seconds: 0 });
    emit(is ? "online" : "offline");
  }

  /* The session as the server has it: this page's again, or the form to sign in. */
  async function session(options) {
    const answer = await fetch(data.signIn, { headers: { "HX-Request": "true" }, ...options });
    const text = await answer.text();
    if (!answer.headers.get("content-type")?.includes("json")) return { form: text };
    const found = JSON.parse(text);
    if (found.username !== data.person) location.reload();
    const known = data.form !== found.token;
    data.form = found.token;
    for (const field of all("input[name=form]")) field.value = found.token;
    return { renewed: known };
  }

  let signingIn;
  const signIn = () => (signingIn ??= askToSignIn().finally(() => { signingIn = undefined; }));

  async function askToSignIn() {
    let { form } = await session();
    if (!form) return;
    const dialog = $("#signing-in");
    await new Promise((resolve, reject) => {
      const show = (html) => dialog.replaceChildren(...parsed(html).body.childNodes);
      show(form);
      dialog.onsubmit = async (event) => {
        event.preventDefault();
        const fields = new URLSearchParams(new FormData(event.target, event.submitter));
        const headers = { "HX-Request": "true" };
        try {
          ({ form } = await session({ method: "POST", body: fields, headers }));
        } catch { return online(false); }
        if (form) return show(form), $("input:not([type=hidden])", dialog)?.focus();
        resolve();
        dialog.close();
      };
      dialog.onclose = () => { dialog.replaceChildren(); reject(new Error("signed out")); };
      dialog.showModal();
    });
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
    if (quiet) return answer;
    if (answer.status === 401) await signIn();
    else if (answer.status !== 403 || !headers["X-Form"] || !(await session()).renewed) return answer;
    return call(url, options);
  }

  const get = (url) => call(url);
  const post = (url, fields) => call(url, { method: "POST", body: new URLSearchParams(fields) });

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
    notice(refusal ? refusal.innerText.trim() : t("failed"), { kind: "bad", seconds: 12 });
  });
  document.addEventListener("htmx:error", ({ detail: { ctx, error } }) => {
    if (ctx && offlineBar === undefined && error?.message !== "signed out") notice(t("failed"), { kind: "bad" });
  });

  window.deskbell = { post, get, announce, notice, t };
})();
