// form[data-bulk]: each row gets a box; ticked rows are remembered over the pages of one list; the bar says how many and what to do.
const bar = document.querySelector("form[data-bulk]");
const key = bar && `select:${bar.dataset.key}:${bar.elements.query.value}`;
const boxes = () => [...document.querySelectorAll("[data-select]")];
let chosen = new Set();
let everything = false;

function recall() {
  try { chosen = new Set(JSON.parse(sessionStorage.getItem(key) || "[]")); } catch { chosen = new Set(); }
}

function addBoxes() {
  for (const cell of document.querySelectorAll("td.check:empty")) {
    const row = cell.closest("tr");
    const box = document.createElement("input");
    Object.assign(box, { type: "checkbox", className: "form-check-input", value: row.id.replace("row-", "") });
    box.dataset.select = "";
    box.setAttribute("aria-label", `${bar.dataset.textSelect}: ${row.querySelector(".row-main")?.textContent.trim() ?? ""}`);
    cell.append(box);
  }
}

function draw() {
  addBoxes();
  for (const box of boxes()) box.checked = everything || chosen.has(box.value);
  const page = document.querySelector("[data-select-page]");
  if (page) page.checked = boxes().length > 0 && boxes().every((box) => box.checked);
  const button = bar.querySelector("[data-bulk-everything]");
  bar.hidden = !everything && chosen.size === 0;
  bar.querySelector("[data-bulk-count]").textContent = everything ? button.dataset.text : chosen.size;
  button.hidden = everything;
  bar.querySelector("[data-bulk-ids]").value = [...chosen].join(",");
  bar.querySelector("[data-bulk-all]").value = everything ? "1" : "";
  try { sessionStorage.setItem(key, JSON.stringify([...chosen])); } catch { /* forgotten on the next page */ }
}

function choose(box) {
  if (everything) {
    // From "all that match" back to single ones: what is ticked on this page.
    everything = false;
    chosen = new Set(boxes().filter((one) => one.checked).map((one) => one.value));
  } else if (box.checked) chosen.add(box.value);
  else chosen.delete(box.value);
}

if (bar) {
  recall();
  draw();
  const body = document.querySelector("table[data-list] tbody");
  if (body) new MutationObserver(draw).observe(body, { childList: true });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-select]")) choose(event.target);
    else if (event.target.matches("[data-select-page]")) {
      everything = false;
      for (const box of boxes()) event.target.checked ? chosen.add(box.value) : chosen.delete(box.value);
    } else return;
    draw();
  });
  bar.querySelector("[data-bulk-everything]").addEventListener("click", () => { everything = true; draw(); });
  bar.querySelector("[data-bulk-none]").addEventListener("click", () => { everything = false; chosen.clear(); draw(); });
  document.body.addEventListener("bulk-started", () => { everything = false; chosen.clear(); draw(); });
}
