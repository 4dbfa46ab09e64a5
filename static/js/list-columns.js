// [data-ordered]: arrows move a line up and down; the form sends its lines in the order they stand.
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-ordered] [data-move]");
  if (!button) return;
  const line = button.closest("li");
  if (button.dataset.move === "up") line.previousElementSibling?.before(line);
  else line.nextElementSibling?.after(line);
  button.focus();
});
