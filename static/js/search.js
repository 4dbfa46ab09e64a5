// The hits under the search field: arrows walk through them, Escape closes.
const field = document.getElementById("search");
const hits = document.getElementById("search-hits");
const links = () => [...hits.querySelectorAll("a")];

function show(open) {
  hits.hidden = !open;
}

hits?.addEventListener("htmx:afterSwap", () => show(Boolean(hits.textContent.trim()) && field.value.trim() !== ""));
field?.addEventListener("click", () => show(Boolean(hits.textContent.trim()) && field.value.trim() !== ""));
field?.addEventListener("input", () => {
  if (!field.value.trim()) show(false);
});
document.addEventListener("click", (event) => {
  if (hits && !event.target.closest(".topbar-search")) show(false);
});
document.querySelector(".topbar-search")?.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    show(false);
    field.focus();
  }
  if (hits.hidden || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
  const stops = [field, ...links()];
  const next = stops.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
  stops[(next + stops.length) % stops.length].focus();
  event.preventDefault();
});
