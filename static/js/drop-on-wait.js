// A file dropped on a tile that waits for it is handed in: the task opens, and if a file is all it asks for, it is sent.
const MINE = "a.tile-wait.is-mine";
const tileAt = (event) => event.target.closest?.(".tile-pending");
const waits = (event) => event.dataTransfer?.types.includes("Files") && tileAt(event)?.querySelector(MINE);

for (const name of ["dragover", "dragleave"]) {
  document.addEventListener(name, (event) => {
    if (!waits(event)) return;
    event.preventDefault();
    tileAt(event).classList.toggle("is-over", name === "dragover");
  });
}

document.addEventListener("drop", async (event) => {
  const link = waits(event);
  if (!link) return;
  event.preventDefault();
  tileAt(event).classList.remove("is-over");
  const file = new DataTransfer();
  file.items.add(event.dataTransfer.files[0]);
  await window.htmx.ajax("GET", link.getAttribute("href"), { target: "#dialog-body", swap: "innerHTML" });
  const form = document.querySelector("#dialog-body form[data-drops-file]");
  if (!form) return;
  form.querySelector("input[type=file]").files = file.files;
  form.requestSubmit(form.querySelector("button.btn-primary"));
});
