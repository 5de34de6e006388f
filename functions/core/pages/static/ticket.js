// The page of a ticket: forms of actions in a dialog, uploads, and parts loaded in place.
(() => {
  "use strict";
  const { get, post, announce, notice } = window.deskbell;
  const ticket = () => document.getElementById("ticket");

  // The dialog

  const sheet = () => {
    let found = document.querySelector("dialog.action-sheet");
    if (!found) {
      found = document.createElement("dialog");
      found.className = "action-sheet";
      found.addEventListener("click", (event) => event.target === found && found.close());
      document.body.append(found);
    }
    return found;
  };
  const open = (html) => {
    const dialog = sheet();
    dialog.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
    window.htmx?.process(dialog);
    const form = dialog.querySelector("[aria-labelledby]");
    dialog.setAttribute("aria-labelledby", form?.getAttribute("aria-labelledby") ?? "");
    prepareUploads(dialog);
    if (!dialog.open) dialog.showModal();
    const first = "[role=alert], [aria-invalid], .field input:not([type=hidden]), .field select, .field textarea";
    dialog.querySelector(first)?.focus();
  };
  /* A refusal without a form is a notice; the page stays as it is. */
  const take = (response, html) => {
    const refusal = response.status >= 400 && !html.includes("<form");
    if (!refusal) return open(html);
    const text = new DOMParser().parseFromString(html, "text/html").body.textContent.replace(/\s+/g, " ").trim();
    return notice(text, { kind: "bad", seconds: 12 });
  };
  const close = () => document.querySelector("dialog.action-sheet[open]")?.close();
  const show = async (url) => {
    try {
      const response = await get(url);
      take(response, await response.text());
    } catch {
      location.assign(url); // the shell says that it is offline
    }
  };

  // Show the ticket as it is now; what is being written stays.
  const refresh = () => {
    const article = ticket();
    if (!article || !window.htmx) return location.reload();
    return window.htmx.ajax("GET", article.dataset.live, { source: article, target: "#conversation", swap: "none" });
  };

  const send = async (form, button) => {
    const fields = new URLSearchParams(new FormData(form));
    if (button?.name) fields.set(button.name, button.value);
    for (const each of form.querySelectorAll("button")) each.disabled = true;
    try {
      const response = await post(form.getAttribute("action"), fields); // `form.action` is the button
      const html = await response.text();
      if (response.headers.get("X-Done")) {
        close();
        announce(html.replace(/<[^>]*>/g, "").trim());
        await refresh();
      } else if (response.status !== 401) {
        take(response, html);
      }
    } catch {
      // Nothing was lost: the form stays as it is, and its key makes sending again safe.
    } finally {
      for (const each of form.querySelectorAll("button")) each.disabled = false;
    }
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("form[data-act]")) {
      if (!form.closest("dialog, #ticket, #context")) return; // a page of its own goes on as a page
      event.preventDefault();
      closeMenus();
      send(form, event.submitter);
    } else if (form.matches("form[data-dialog]")) {
      event.preventDefault();
      closeMenus();
      const action = encodeURIComponent(event.submitter?.value ?? "");
      show(`${form.getAttribute("action")}/${action}`);
    }
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-dialog], a[data-close], button[data-insert]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (link.matches("[data-dialog]")) {
      event.preventDefault();
      show(link.href);
    } else if (link.matches("[data-close]") && link.closest("dialog")) {
      event.preventDefault();
      const changed = link.matches("[data-refresh]") || link.closest("form")?.querySelector(".conflict");
      close();
      if (changed) refresh();
    } else if (link.matches("[data-insert]")) {
      const text = document.querySelector(link.dataset.insert)?.value ?? "";
      document.dispatchEvent(new CustomEvent("deskbell:insert", { detail: { text } }));
      close();
    }
  });

  const closeMenus = () => {
    for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
  };
  document.addEventListener("toggle", (event) => {
    if (!event.target.matches?.("details")) return;
    // What somebody has opened stays open while the ticket is shown as it is now.
    event.target.toggleAttribute("hx-morph-skip", event.target.open);
    if (event.target.matches(".menu[open]")) event.target.querySelector("button")?.focus();
  }, true);

  // Uploads: a signed link for each file, then its id goes with the action.

  const prepareUploads = (root) => {
    for (const field of root.querySelectorAll("[data-upload]")) {
      const input = field.querySelector("input[type=file]");
      if (input) input.disabled = false;
    }
  };
  const say = (text, name) => text.replace("{name}", name);
  const line = (field, file) => {
    const item = document.createElement("li");
    const text = document.createElement("span");
    text.textContent = say(field.dataset.uploading, file.name);
    const progress = document.createElement("progress");
    progress.max = file.size || 1;
    progress.setAttribute("aria-label", text.textContent);
    item.append(text, progress);
    field.querySelector(".uploads").append(item);
    return { item, text, progress };
  };
  const put = (offered, file, onProgress) =>
    new Promise((resolve, reject) => {
      const request = new XMLHttpRequest(); // fetch reports no progress of uploads
      request.open(offered.method, offered.url);
      for (const [name, value] of Object.entries(offered.headers)) {
        if (name.toLowerCase() !== "content-length") request.setRequestHeader(name, value); // the browser sets it
      }
      request.upload.addEventListener("progress", (event) => onProgress(event.loaded));
      request.addEventListener("load", () => (request.status < 300 ? resolve() : reject(new Error("refused"))));
      request.addEventListener("error", () => reject(new Error("failed")));
      request.send(file);
    });
  const uploadOne = async (field, file) => {
    const { item, text, progress } = line(field, file);
    const form = field.closest("form");
    form.dataset.uploads = Number(form.dataset.uploads ?? 0) + 1;
    try {
      const asked = await post(field.dataset.upload, new URLSearchParams({ name: file.name, size: file.size }));
      if (!asked.ok) throw new Error("refused");
      const { id, upload } = await asked.json();
      await put(upload, file, (loaded) => (progress.value = loaded));
      for (const [name, value] of [["attachments", id], ["attachment_names", file.name]]) {
        const hidden = document.createElement("input");
        Object.assign(hidden, { type: "hidden", name, value });
        item.append(hidden);
      }
      text.textContent = say(field.dataset.uploaded, file.name);
    } catch {
      item.classList.add("failed");
      text.textContent = say(field.dataset.failed, file.name);
    } finally {
      progress.remove();
      const remove = document.createElement("button");
      Object.assign(remove, { type: "button", className: "plain", textContent: field.dataset.remove });
      remove.addEventListener("click", () => item.remove());
      item.append(remove);
      form.dataset.uploads = Number(form.dataset.uploads) - 1;
      announce(text.textContent);
    }
  };
  document.addEventListener("change", (event) => {
    const field = event.target.matches("input[type=file]") && event.target.closest("[data-upload]");
    if (!field) return;
    const files = [...event.target.files];
    event.target.value = "";
    for (const file of files) uploadOne(field, file);
  });
  // Whoever sends while a file is on its way waits for it.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!Number(form.dataset.uploads)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const { submitter } = event;
    const waiting = setInterval(() => {
      if (Number(form.dataset.uploads)) return;
      clearInterval(waiting);
      form.requestSubmit(submitter);
    }, 100);
  }, true);

  // The newest entry is in sight when a ticket is opened; what is loaded before it moves nothing.

  const newest = () => {
    const last = document.querySelector("#conversation .entries > li:last-child");
    const entries = document.querySelectorAll("#conversation .entries > li").length;
    if (last && entries > 3) ticket().scrollIntoView({ block: "end" });
  };
  const opened = () => {
    prepareUploads(document);
    if (ticket() && !location.hash && !new URLSearchParams(location.search).has("before")) newest();
  };
  // Whoever reads the newest entries goes on reading the newest; whoever reads others is left there.
  let atEnd = false;
  document.addEventListener("htmx:before:swap", () => {
    const last = document.querySelector("#conversation .entries > li:last-child");
    const composer = document.getElementById("composer");
    const edge = Math.min(composer?.getBoundingClientRect().top ?? innerHeight, innerHeight);
    atEnd = Boolean(last) && last.getBoundingClientRect().bottom <= edge + 24;
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const source = event.detail?.ctx?.sourceElement;
    if (atEnd && !source?.closest?.("#earlier, #others, #composer")) newest();
    const article = ticket();
    const head = document.querySelector("#ticket-head [data-version]");
    if (article && head) {
      article.dataset.version = head.dataset.version;
      article.dataset.status = head.dataset.status;
    }
    if (!article) return;
    for (const tab of article.querySelectorAll(".tabs a")) {
      if (source !== tab) continue;
      for (const each of article.querySelectorAll(".tabs a")) each.removeAttribute("aria-current");
      tab.setAttribute("aria-current", "page");
      article.dataset.live = withParameter(article.dataset.live, "tab", tab.dataset.tab);
    }
    if (source?.closest?.("#earlier")) {
      const shown = document.querySelector("#conversation .entries > li[data-version]");
      const count = Number(article.dataset.version) - Number(shown?.dataset.version ?? 0) + 1;
      article.dataset.live = withParameter(article.dataset.live, "entries", Math.min(count, 200));
    }
  });
  const withParameter = (address, name, value) => {
    const url = new URL(address, location.href);
    url.searchParams.set(name, value);
    return url.pathname + url.search;
  };
  document.addEventListener("deskbell:opened", opened);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", opened);
  else opened();
})();
