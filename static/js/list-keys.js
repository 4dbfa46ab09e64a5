// In a list: j and k go down and up, x selects, Enter opens, f adds a filter.
const rows = () => [...document.querySelectorAll("table[data-list] tbody tr")];
const here = () => rows().findIndex((row) => row.classList.contains("is-here"));
const busy = (event) =>
  event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]") || event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]");

function go(place) {
  const all = rows();
  const row = all[Math.max(0, Math.min(place, all.length - 1))];
  if (!row) return;
  for (const one of all) one.classList.toggle("is-here", one === row);
  row.querySelector(".row-link")?.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

let afterG = 0;
document.addEventListener("keydown", (event) => {
  if (busy(event)) return;
  if (Date.now() - afterG < 1200) return void (afterG = 0); // "g" and a letter goes to the menu
  if (event.key === "g") afterG = Date.now();
  else if (event.key === "j") go(here() + 1);
  else if (event.key === "k") go(here() - 1);
  else if (event.key === "x") rows()[here()]?.querySelector("[data-select]")?.click();
  else if (event.key === "f") document.querySelector("[data-list-key=f]")?.click();
  else if (event.key === "Enter" && event.target === document.body) rows()[here()]?.querySelector(".row-link")?.click();
});
