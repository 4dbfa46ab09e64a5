// On a phone a row of a list is a block of lines: each cell is told its heading, which the page says once.
const body = document.querySelector("table[data-list] tbody");

function label(row) {
  const heads = row.closest("table").tHead.rows[0].cells;
  for (const [place, cell] of [...row.cells].entries())
    if (!cell.matches(".check, .row-main")) cell.dataset.label = heads[place]?.textContent.trim() ?? "";
}

if (body) {
  for (const row of body.rows) label(row);
  new MutationObserver(() => {
    for (const row of body.rows) if (!row.querySelector("[data-label]")) label(row);
  }).observe(body, { childList: true });
}
