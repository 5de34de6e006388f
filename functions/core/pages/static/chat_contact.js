// The chat's panel for a contact, which a code verifies. Few customers open it, so it comes then.
export default ({ inTurn, inChat, receive, save }) => {
  const [contact, identify, verify, problem, text] =
    ["contact", "identify", "verify", "problem", "text"].map((id) => document.getElementById(id));
  const ask = (form) => {
    identify.hidden = form !== identify;
    verify.hidden = form !== verify;
    problem.textContent = "";
    form.querySelector("[required]").focus();
  };
  const prove = (form, name, then) => {
    form.onsubmit = () => inTurn(async () => {
      problem.textContent = "";
      try {
        receive(await inChat("verification", { [name]: form[name].value }, crypto.randomUUID()));
        then();
      } catch ({ message }) {
        problem.textContent = message;
        form[name].focus();
      }
    });
  };
  prove(identify, "contact", () => ask(verify));
  prove(verify, "code", () => {
    save({ isVerified: contact.hidden = true });
    text.focus();
  });
  verify.querySelector("[type=button]").onclick = () => ask(identify);
};
