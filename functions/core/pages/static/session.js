/* Signing in again in place, loaded when a session has ended: what was typed stays. */
const { call } = window.deskbell;
const { dataset } = document.body;

/* Ask for the session as the server has it; take its token, or return the form to sign in. */
async function ask(options) {
  const answer = await call(dataset.signIn, options, true);
  const text = await answer.text();
  if (!answer.headers.get("content-type")?.includes("json")) return { form: text };
  const found = JSON.parse(text);
  // Nothing is sent as somebody else.
  if (found.username !== dataset.person) location.reload();
  const renewed = dataset.form !== found.token;
  dataset.form = found.token;
  for (const field of document.querySelectorAll("input[name=form_token]")) field.value = found.token;
  return { renewed };
}

/* Whether another tab has signed in since, so that this page's token was an old one. */
export const renew = async () => Boolean((await ask()).renewed);

export async function signIn() {
  const { form } = await ask();
  if (!form) return;
  const dialog = document.querySelector("#signing-in");
  const show = (html) => {
    dialog.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
    dialog.querySelector("[autofocus]")?.focus();
  };
  await new Promise((resolve, reject) => {
    dialog.onsubmit = async (event) => {
      event.preventDefault();
      const answer = await ask({ method: "POST", body: new URLSearchParams(new FormData(event.target)) });
      if (answer.form) return show(answer.form);
      resolve();
      dialog.close();
    };
    dialog.onclose = () => {
      dialog.replaceChildren();
      reject(new Error("signed out"));
    };
    dialog.showModal();
    show(form);
  });
}
