// "/" opens the search as Ctrl-K does; "g" and a letter to the menu entry that carries it (data-key); "c" creates, "?" helps.
let afterG = 0;
const typing = (target) => target.closest?.("input, textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key === "/") {
    event.preventDefault();
    document.querySelector("[data-palette-open]")?.click();
  } else if (event.key === "?") {
    document.querySelector("[data-shortcuts]")?.click();
  } else if (event.key === "g") {
    afterG = Date.now();
  } else if (Date.now() - afterG < 1200) {
    afterG = 0;
    document.querySelector(`.sidebar-link[data-key="${CSS.escape(event.key)}"]`)?.click();
  } else if (event.key === "c") {
    const create = document.querySelector(".topbar .icon-button-accent");
    if (create) {
      event.preventDefault();
      create.click();
      create.parentElement.querySelector("a")?.focus();
    }
  }
});
