/* The sentence under each row of the role editor follows the selects; its words come with the options. */
document.addEventListener("change", (event) => {
  const row = event.target.closest("[data-matrix-row]");
  const matrix = event.target.closest("[data-role-matrix]");
  if (!row || !matrix) return;
  const phrases = [...row.querySelectorAll("select")].map((select) => select.selectedOptions[0]?.dataset.says);
  row.querySelector("[data-says]").textContent = phrases.filter(Boolean).join("; ") || matrix.dataset.nothing;
});
