// A free time that the strip below a form offers is taken by one click.
document.addEventListener("click", (event) => {
  const offer = event.target.closest("[data-free-time]");
  const field = offer?.closest("form")?.elements.namedItem("starts_at");
  if (!field) return;
  field.value = offer.dataset.freeTime;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.dispatchEvent(new Event("change", { bubbles: true }));
  field.focus();
});
