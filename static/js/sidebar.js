// Folds the sidebar and remembers it in a cookie the server reads; on a phone it slides over the page.
const body = document.body;

function fold() {
  const closed = body.classList.toggle("sidebar-closed");
  body.classList.toggle("sidebar-open", !closed);
  document.cookie = `sidebar=${closed ? "closed" : "open"}; path=/; max-age=31536000; samesite=lax`;
}

function slide(open) {
  body.classList.toggle("sidebar-shown", open);
  if (open) document.querySelector(".sidebar-link")?.focus();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-sidebar-toggle]")) return window.innerWidth < 768 ? slide(false) : fold();
  if (event.target.closest("[data-sidebar-open]")) return slide(!body.classList.contains("sidebar-shown"));
  if (body.classList.contains("sidebar-shown") && !event.target.closest("#sidebar")) slide(false);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") slide(false);
});
