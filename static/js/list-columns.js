// [data-ordered]: arrows move a line up and down, or it is dragged; the form sends its lines in the order they stand.
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-ordered] [data-move]");
  if (!button) return;
  const line = button.closest("li");
  if (button.dataset.move === "up") line.previousElementSibling?.before(line);
  else line.nextElementSibling?.after(line);
  button.focus();
});

let dragged = null;

document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.("[data-ordered] > li") ?? null;
  dragged?.classList.add("is-dragged");
  if (dragged) event.dataTransfer.effectAllowed = "move";
});

document.addEventListener("dragover", (event) => {
  const line = dragged && event.target.closest?.("[data-ordered] > li");
  if (!line || line.parentElement !== dragged.parentElement) return;
  event.preventDefault();
  const { top, height } = line.getBoundingClientRect();
  if (event.clientY < top + height / 2) line.before(dragged);
  else line.after(dragged);
});

document.addEventListener("drop", (event) => dragged && event.preventDefault());

document.addEventListener("dragend", () => {
  dragged?.classList.remove("is-dragged");
  dragged = null;
});
