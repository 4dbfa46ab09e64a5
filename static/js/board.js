// The board: drag a deal to another stage; the server answers with what is true, and that is put in place.
const board = document.getElementById("board");
const inbox = document.getElementById("board-changes");
const outcomes = document.getElementById("board-outcomes");
const SETTLE = 400;

const listOf = (stage) => board.querySelector(`.board-column[data-stage="${CSS.escape(stage)}"] .tiles`);
const columnOf = (node) => node.closest(".board-column");
const allows = (from, to) => from === to || from.dataset.moves.split(" ").includes(to.dataset.stage);

let home = null; // where the dragged tile came from: {list, next}

function putBack(tile) {
  if (!home) return;
  const next = home.next?.isConnected && home.next.parentElement === home.list ? home.next : null;
  home.list.insertBefore(tile, next);
}

// Fresh tiles replace their old selves; one that changed its column goes to the top, one refused goes home.
function place() {
  for (const fresh of [...inbox.querySelectorAll("[data-deal]")]) {
    const list = listOf(fresh.dataset.stage);
    const old = [...board.querySelectorAll(`[data-deal="${CSS.escape(fresh.dataset.deal)}"]`)];
    const same = old.find((tile) => tile.parentElement === list);
    if (!list) continue;
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
}

document.addEventListener("htmx:afterSwap", (event) => { if (event.detail.target === inbox) place(); });

function refuse(tile) {
  putBack(tile);
  const detail = { messages: [{ text: board.dataset.textRefused, level: "danger" }] };
  document.body.dispatchEvent(new CustomEvent("toast", { detail }));
}

async function move(tile, column) {
  const values = { stage: column.dataset.stage };
  tile.classList.add("is-moving");
  try {
    await htmx.ajax("POST", `${tile.dataset.url}stage/?${board.dataset.asked}`, { target: inbox, swap: "innerHTML", values });
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

const shared = {
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

if (board && window.Sortable) {
  for (const list of board.querySelectorAll(".tiles")) new Sortable(list, { ...shared, onStart: start, onEnd: dropped });
  for (const outcome of outcomes.querySelectorAll("[data-outcome]")) new Sortable(outcome, { ...shared, draggable: ".none" });
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
  const query = `${board.dataset.asked}&ids=${[...waiting].join(",")}`;
  waiting.clear();
  htmx.ajax("GET", `${board.dataset.changes}?${query}`, { target: inbox, swap: "innerHTML" });
}

document.body.addEventListener("live:deals.deal", (event) => refresh(event.detail?.id));
document.body.addEventListener("deal-changed", (event) => refresh(event.detail?.id));
