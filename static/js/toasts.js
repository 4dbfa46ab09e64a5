// Messages at the bottom: they leave by themselves unless they offer an undo or report a failure.
const box = document.getElementById("toasts");
const pattern = document.getElementById("toast-template");
const SHORT = 5000;
const LONG = 12000;

function live(note, stay) {
  const away = () => note.remove();
  note.querySelector("[data-toast-close]")?.addEventListener("click", away);
  let timer = setTimeout(away, stay);
  note.addEventListener("mouseenter", () => clearTimeout(timer));
  note.addEventListener("mouseleave", () => (timer = setTimeout(away, SHORT)));
}

function show({ text, level = "success", undo = "" }) {
  const note = pattern.content.firstElementChild.cloneNode(true);
  note.classList.add(`toast-${level}`);
  note.querySelector("[data-toast-text]").textContent = text;
  const form = note.querySelector("[data-toast-undo]");
  if (undo) {
    form.action = undo;
    form.hidden = false;
  } else {
    form.remove();
  }
  box.append(note);
  live(note, undo || level === "danger" ? LONG : SHORT);
}

document.body.addEventListener("toast", (event) => (event.detail.messages || []).forEach(show));
for (const note of box?.querySelectorAll("[data-toast]") || []) {
  live(note, note.querySelector("form") || note.classList.contains("toast-danger") ? LONG : SHORT);
}
