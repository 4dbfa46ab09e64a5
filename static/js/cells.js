// Values changed where they stand. In a list: double click, Enter or F2 on a cell, "e" on a row, Tab to the next one.
// On a card: the pencil beside a fact. Enter saves, Esc gives back what was there; a 409 or 422 answers in place.
const before = new WeakMap();
const table = () => document.querySelector("table[data-cells]");
const opened = () => document.querySelector("[data-cell-form]");
const holder = (form) => form.closest("td, dd");

function keys() {
  return [...(table()?.tHead.rows[0].cells ?? [])].map((head) => head.dataset.edit || "");
}

function mark(root = document) {
  const found = keys();
  if (!found.some(Boolean)) return;
  for (const row of root.querySelectorAll("table[data-cells] tbody tr:not([data-locked])"))
    for (const [place, key] of found.entries()) {
      const cell = row.cells[place];
      if (key && cell) cell.classList.add("is-editable"), (cell.tabIndex = -1);
    }
}

function open(cell) {
  if (cell.querySelector("[data-cell-form]")) return;
  if (opened() && !cancel(opened())) return;
  const key = cell.dataset.cellEdit ? "" : keys()[cell.cellIndex];
  if (key === "tags") {
    const row = cell.closest("tr");
    return void window.htmx.ajax("GET", address(table().dataset.tags, row), { target: "#dialog-body", swap: "innerHTML" });
  }
  const url = cell.dataset.cellEdit || (key && address(table().dataset.cells, cell.closest("tr")).replace("field", key));
  if (!url) return;
  before.set(cell, [...cell.childNodes]);
  cell.style.setProperty("--cell-width", `${cell.clientWidth}px`);
  window.htmx.ajax("GET", url, { target: cell, swap: "innerHTML", source: cell });
}

const address = (pattern, row) => pattern.replace("/0/", `/${row.id.replace("row-", "")}/`);

// Gives the cell back what it showed; false when something typed would be lost by a slip.
function cancel(form, anyway = false) {
  if (!anyway && form.dataset.typed) return form.querySelector("input, select, textarea")?.focus(), false;
  const cell = holder(form);
  cell.replaceChildren(...(before.get(cell) ?? []));
  cell.focus({ preventScroll: true });
  return true;
}

async function redraw(pk) {
  const row = document.getElementById(`row-${pk}`);
  if (!row || !table()) return;
  const url = new URL(location.href);
  url.searchParams.set("row", pk);
  const answer = await fetch(url, { headers: { "X-Requested-With": "row" } });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(`row-${pk}`);
  if (!fresh) return void row.remove();
  const place = [...row.cells].findIndex((cell) => cell.contains(document.activeElement) || cell.querySelector("[data-cell-form]"));
  const drawn = document.importNode(fresh, true);
  drawn.classList.toggle("is-here", row.classList.contains("is-here"));
  row.replaceWith(drawn);
  window.htmx.process(drawn);
  mark();
  const wanted = drawn.cells[next === null ? place : next];
  if (next === null) wanted?.focus({ preventScroll: true });
  else open(wanted);
  next = null;
}

// After Tab: the place of the cell that opens when the present one is saved.
let next = null;

function neighbour(cell, step) {
  const found = keys();
  for (let place = cell.cellIndex + step; place >= 0 && place < found.length; place += step)
    if (found[place] && found[place] !== "tags") return cell.parentElement.cells[place];
  return null;
}

document.addEventListener("dblclick", (event) => {
  const cell = event.target.closest?.("td.is-editable");
  if (cell && !event.target.closest("a, button, input")) open(cell);
});

document.addEventListener("click", (event) => {
  const pencil = event.target.closest?.("[data-cell-open]");
  if (pencil && !event.ctrlKey && !event.metaKey) event.preventDefault(), open(pencil.closest("[data-cell-edit]"));
  const quit = event.target.closest?.("[data-cell-cancel]");
  const form = quit?.closest("[data-cell-form]");
  if (form && before.has(holder(form))) event.preventDefault(), cancel(form, true);
});

document.addEventListener("input", (event) => {
  const form = event.target.closest?.("[data-cell-form]");
  if (form) form.dataset.typed = "1";
});

function inForm(event, form) {
  if (event.key === "Escape") cancel(form, true);
  else if (event.key === "Enter" && !event.shiftKey && !event.target.matches("button, a")) form.requestSubmit();
  else if (event.key === "Tab" && holder(form).matches("td") && event.target.matches("input, select, textarea")) {
    const cell = neighbour(holder(form), event.shiftKey ? -1 : 1);
    if (!cell) return;
    if (form.dataset.typed) (next = cell.cellIndex), form.requestSubmit();
    else cancel(form, true), open(cell);
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("[data-cell-form]");
  if (form) return inForm(event, form);
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const cell = event.target.closest?.("td.is-editable");
  if (cell === event.target && cell) {
    if (event.key === "Enter" || event.key === "F2") event.preventDefault(), open(cell);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) neighbour(cell, step)?.focus();
  } else if ((event.key === "e" || event.key === "F2") && !event.target.closest?.("input:not([type=checkbox]), textarea, select")) {
    const row = document.querySelector("tr.is-here");
    const place = keys().findIndex((key) => key && key !== "tags");
    if (row && place >= 0) event.preventDefault(), open(row.cells[place]);
  } else if (event.key === "t" && !event.target.closest?.("input:not([type=checkbox]), textarea, select")) {
    const row = document.querySelector("tr.is-here");
    if (row && table()?.dataset.tags) event.preventDefault(), window.htmx.ajax("GET", address(table().dataset.tags, row), { target: "#dialog-body", swap: "innerHTML" });
  }
});

document.addEventListener("htmx:afterSettle", () => {
  const form = opened();
  if (!form || form.contains(document.activeElement)) return;
  const field = form.querySelector("input:not([type=hidden]), select, textarea");
  field?.focus();
  if (field?.matches("input[type=text], input:not([type])")) field.select();
});

document.addEventListener("htmx:responseError", () => {
  const form = opened();
  next = null;
  if (!form) for (const cell of document.querySelectorAll("td.is-editable:empty")) cell.replaceChildren(...(before.get(cell) ?? []));
});

document.body.addEventListener("row-changed", (event) => {
  if (table()?.dataset.list === event.detail.kind) redraw(event.detail.id);
});

mark();
