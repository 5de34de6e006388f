// The chat in a frame: the page around it opens and closes it, and hears of what is new. Only sites
// that the desk allows can be around it (`frame-ancestors`); they get no word of the conversation.
export default (frame, { poll }) => {
  const [text, close, newer] = ["text", "close", "newer"].map((id) => document.getElementById(id));
  let host;
  frame.toHost = (word) => host && parent.postMessage({ deskbell: word }, host);
  addEventListener("message", ({ source, origin, data }) => {
    if (source !== parent || !["open", "closed"].includes(data?.deskbell)) return;
    host = origin;
    frame.isClosed = data.deskbell === "closed";
    close.hidden = false;
    if (!frame.isClosed) {
      newer.hidden || newer.onclick();  // whoever comes back reads what came meanwhile
      text.focus();
    }
    poll(!frame.isClosed);
  });
  close.onclick = () => frame.toHost("close");
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.isComposing) frame.toHost("close");
  });
  parent.postMessage({ deskbell: "ready" }, "*");
};
