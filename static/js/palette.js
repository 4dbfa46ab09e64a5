// Ctrl-K: one box for records (the server finds and ranks them) and for what this page can do (see commands.js).
import { commands } from "./commands.js";
import { recent } from "./recent.js";

const palette = document.getElementById("palette");
const input = document.getElementById("palette-input");
const found = document.getElementById("palette-found");
const offered = document.getElementById("palette-commands");
const status = document.getElementById("palette-status");
const WAIT = 120;
let timer = null;
let asked = null; // the request under way
let chosen = -1;
let impatient = false; // Enter was pressed before the answer came

const options = () => [...palette.querySelectorAll("[role=option]")];

function mark(place) {
  const all = options();
  chosen = all.length ? (place + all.length) % all.length : -1;
  all.forEach((option, index) => {
    option.id = `palette-option-${index}`;
    option.setAttribute("aria-selected", String(index === chosen));
  });
  if (chosen < 0) return input.removeAttribute("aria-activedescendant");
  input.setAttribute("aria-activedescendant", all[chosen].id);
  all[chosen].scrollIntoView({ block: "nearest" });
}

function settle(failed = false) {
  offered.replaceChildren(...commands(input.value, palette.dataset));
  const count = options().length;
  status.textContent = failed ? palette.dataset.textFailed : count ? `${palette.dataset.textCount}: ${count}` : palette.dataset.textNone;
  status.classList.toggle("is-quiet", count > 0 && !failed);
  mark(0);
}

async function ask() {
  asked?.abort();
  asked = new AbortController();
  const mine = asked;
  const query = new URLSearchParams({ q: input.value.trim(), recent: recent() });
  let failed = false;
  try {
    const answer = await fetch(`${palette.dataset.url}?${query}`, { signal: mine.signal, credentials: "same-origin" });
    if (answer.redirected) return void window.location.reload();
    failed = !answer.ok;
    found.innerHTML = answer.ok ? await answer.text() : "";
  } catch (error) {
    if (error.name === "AbortError") return;
    failed = true;
    found.replaceChildren();
  }
  if (mine !== asked) return;
  asked = null;
  settle(failed);
  // An answer to what stood there before the last letter is not what Enter meant.
  if (impatient && !timer) go(options()[0]);
}

function soon() {
  clearTimeout(timer);
  impatient = false;
  timer = setTimeout(() => { timer = null; ask(); }, WAIT);
}

function open() {
  if (palette.open) return input.select();
  if (document.querySelector("dialog[open]")) return;
  input.value = "";
  found.replaceChildren();
  palette.showModal();
  settle();
  input.focus();
  ask();
}

function go(option, aside = false) {
  impatient = false;
  if (!option) return;
  if (aside && option.href) return void window.open(option.href, "_blank", "noopener");
  palette.close();
  option.click();
}

if (palette) {
  input.addEventListener("input", soon);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown") mark(chosen + 1);
    else if (event.key === "ArrowUp") mark(chosen - 1);
    else if (event.key === "Enter" && (timer || asked) && input.value.trim()) impatient = true;
    else if (event.key === "Enter") go(options()[chosen], event.ctrlKey || event.metaKey);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  palette.addEventListener("mousemove", (event) => {
    const option = event.target.closest("[role=option]");
    if (option && option.getAttribute("aria-selected") !== "true") mark(options().indexOf(option));
  });
  palette.addEventListener("click", (event) => {
    if (event.target === palette || event.target.closest("[data-palette-close]")) palette.close();
    else if (event.target.closest("[role=option]")) palette.close();
  });
  palette.addEventListener("close", () => { clearTimeout(timer); timer = null; asked?.abort(); asked = null; });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-palette-open]") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    open();
  });
}
