// The board: drag a deal to another column (stage, owner, month); the server answers with what is true, and that is put
// in place.
const board = document.getElementById("board");
const inbox = document.getElementById("board-changes");
const outcomes = document.getElementById("board-outcomes");
const SETTLE = 400;

const listOf = (place) => board.querySelector(`.board-column[data-column="${CSS.escape(place)}"] .tiles`);
const columnOf = (node) => node.closest(".board-column");
const allows = (from, to) =>
  from === to || ("takes" in to.dataset) || (from.dataset.moves?.split(" ").includes(to.dataset.column) ?? false);
const shown = () => [...board.querySelectorAll("[data-column]")].map((column) => column.dataset.column).join(",");
const asked = () => `${board.dataset.asked}&shown=${encodeURIComponent(shown())}`;

let home = null; // where the dragged tile came from: {list, next}

function putBack(tile) {
  if (!home) return;
  const next = home.next?.isConnected && home.next.parentElement === home.list ? home.next : null;
  home.list.insertBefore(tile, next);
}

// Fresh tiles replace their old selves; one that changed its column goes to the top, one refused goes home.
function place() {
  let homeless = false;
  for (const fresh of [...inbox.querySelectorAll("[data-deal]")]) {
    const list = listOf(fresh.dataset.place);
    const old = [...board.querySelectorAll(`[data-deal="${CSS.escape(fresh.dataset.deal)}"]`)];
    const same = old.find((tile) => tile.parentElement === list);
    if (!list) { homeless = true; continue; }
    // A column nobody has looked at yet will bring the tile itself.
    if (list.querySelector("[data-unread]")) { old.forEach((tile) => tile.remove()); continue; }
    if (same) same.replaceWith(fresh);
    else if (home?.tile && old.includes(home.tile) && home.list === list) { putBack(home.tile); home.tile.replaceWith(fresh); }
    else list.prepend(fresh);
    old.forEach((tile) => tile !== fresh && tile.remove());
  }
  for (const gone of inbox.querySelectorAll("[data-gone]")) {
    board.querySelector(`[data-deal="${CSS.escape(gone.dataset.gone)}"]`)?.remove();
  }
  inbox.replaceChildren();
  home = null;
  if (homeless) redraw();
}

// A column that was not there has come: an owner's first deal, a month nobody had closed in.
async function redraw() {
  await htmx.ajax("GET", location.href, { target: board, swap: "innerHTML", select: "#board > *" });
  lists();
}

document.addEventListener("htmx:afterSwap", (event) => { if (event.detail.target === inbox) place(); });

function refuse(tile) {
  putBack(tile);
  const detail = { messages: [{ text: board.dataset.textRefused, level: "danger" }] };
  document.body.dispatchEvent(new CustomEvent("toast", { detail }));
}

async function move(tile, column) {
  const values = { [board.dataset.field]: column.dataset.column, version: tile.dataset.version };
  tile.classList.add("is-moving");
  try {
    await htmx.ajax("POST", `${tile.dataset.url}${board.dataset.drop}?${asked()}`, { target: inbox, swap: "innerHTML", values });
  } catch { /* the frame has said what went wrong */ }
  // Still here: no answer came that says where it belongs.
  if (tile.isConnected && tile.classList.contains("is-moving")) {
    tile.classList.remove("is-moving");
    putBack(tile);
    home = null;
  }
}

function close(tile, outcome) {
  putBack(tile);
  home = null;
  htmx.ajax("GET", `${tile.dataset.url}closure/?to=${outcome}`, { target: "#dialog-body", swap: "innerHTML" });
}

function show(from) {
  board.classList.add("is-dragging");
  outcomes.classList.add("is-shown");
  for (const column of board.querySelectorAll(".board-column")) {
    column.classList.toggle("is-origin", column === from);
    column.classList.toggle("is-allowed", column !== from && allows(from, column));
    column.classList.toggle("is-closed", !allows(from, column));
  }
}

function hide() {
  board.classList.remove("is-dragging");
  outcomes.classList.remove("is-shown");
  board.querySelectorAll(".board-column").forEach((column) => column.classList.remove("is-origin", "is-allowed", "is-closed"));
}

const behaviour = {
  group: "deals", sort: false, draggable: ".tile", filter: "[data-fixed], .tile-menu, .tile-wait", preventOnFilter: false,
  animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 120,
  delay: 180, delayOnTouchOnly: true, touchStartThreshold: 6, ghostClass: "tile-ghost", chosenClass: "tile-chosen",
  scroll: true, scrollSensitivity: 80,
};

function dropped({ item, to, from }) {
  hide();
  if (to === from) { home = null; return; }
  if (to.dataset.outcome) { close(item, to.dataset.outcome); return; }
  const [origin, target] = [columnOf(from), columnOf(to)];
  if (!allows(origin, target)) { refuse(item); home = null; return; }
  move(item, target);
}

function start({ item, from }) {
  home = { tile: item, list: from, next: item.nextElementSibling };
  show(columnOf(from));
}

function lists() {
  for (const list of board.querySelectorAll(".tiles")) new Sortable(list, { ...behaviour, onStart: start, onEnd: dropped });
}

if (board && window.Sortable) {
  lists();
  for (const outcome of outcomes.querySelectorAll("[data-outcome]")) new Sortable(outcome, { ...behaviour, draggable: ".none" });
}

// Somebody else moved or changed a deal, or a dialog of ours did: fetch just those.
const waiting = new Set();
let timer = null;

function refresh(id) {
  if (!board || !id) return;
  waiting.add(id);
  clearTimeout(timer);
  timer = setTimeout(flush, SETTLE);
}

function flush() {
  if (board.classList.contains("is-dragging")) { timer = setTimeout(flush, SETTLE); return; }
  const query = `${asked()}&ids=${[...waiting].join(",")}`;
  waiting.clear();
  htmx.ajax("GET", `${board.dataset.changes}?${query}`, { target: inbox, swap: "innerHTML" });
}

document.body.addEventListener("live:deals.deal", (event) => refresh(event.detail?.id));
document.body.addEventListener("deal-changed", (event) => refresh(event.detail?.id));

// "Undo" of what was done here leaves the board where it is.
document.addEventListener("submit", (event) => {
  const note = board && event.target.closest("#toasts [data-toast]");
  if (!note) return;
  event.preventDefault();
  note.remove();
  htmx.ajax("POST", event.target.action, { swap: "none" });
});
