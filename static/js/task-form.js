// A task that only wants a file is done by dropping it: the file goes into the field and the main button is pressed.
const formAt = (event) => event.target.closest?.("form[data-drops-file]");
const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");

document.addEventListener("dragover", (event) => {
  const form = formAt(event);
  if (!form || !carriesFiles(event)) return;
  event.preventDefault();
  form.classList.add("is-over");
});

document.addEventListener("dragleave", (event) => {
  const form = formAt(event);
  if (form && !form.contains(event.relatedTarget)) form.classList.remove("is-over");
});

document.addEventListener("drop", (event) => {
  const form = formAt(event);
  if (!form || !carriesFiles(event)) return;
  event.preventDefault();
  form.classList.remove("is-over");
  const input = form.querySelector("input[type=file]");
  const one = new DataTransfer();
  one.items.add(event.dataTransfer.files[0]);
  input.files = one.files;
  form.requestSubmit(form.querySelector("button.btn-primary"));
});
