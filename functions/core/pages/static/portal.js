// Comfort only: the pages work without it. Counts the characters of a text while it is written.
for (const field of document.querySelectorAll("textarea[data-most]")) {
  const note = field.nextElementSibling;
  const count = () => {
    const left = Number(field.dataset.most) - [...field.value].length;
    note.textContent = (left < 0 ? field.dataset.over : field.dataset.left).replace("{n}", Math.abs(left));
    note.classList.toggle("wrong", left < 0);
    // Read aloud only near the end, not at every key.
    note.setAttribute("aria-live", left < 30 ? "polite" : "off");
  };
  field.addEventListener("input", count);
  count();
}
