// <form data-drop-files>: files dropped on it, or chosen in it, are sent at once.
const formOf = (event) => event.target.closest?.("form[data-drop-files]");

document.addEventListener("change", (event) => {
  const form = formOf(event);
  if (form && event.target.type === "file" && event.target.files.length) form.requestSubmit();
});
for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    const form = formOf(event);
    if (!form || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    form.classList.toggle("is-over", name === "dragover");
    if (name !== "drop") return;
    form.querySelector("input[type=file]").files = event.dataTransfer.files;
    form.requestSubmit();
  });
}
