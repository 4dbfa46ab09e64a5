// [data-rows]: several rows of one kind in a form. Without scripts one spare row stands at the end, an emptied one goes.
const rowsOf = (box) => [...box.querySelectorAll("[data-row]")];

const number = (box) => {
  const rows = rowsOf(box);
  rows.forEach((row, place) => {
    const first = row.querySelector("input[type=radio]");
    if (first) first.value = String(place);
    row.querySelector("[data-row-remove]").hidden = rows.length < 2;
  });
  if (!box.querySelector("input[type=radio]:checked")) {
    const first = box.querySelector("input[type=radio]");
    if (first) first.checked = true;
  }
  box.querySelector("[data-row-add]").hidden = rows.length >= Number(box.dataset.rowsMost);
};

const isEmpty = (row) => [...row.querySelectorAll("input:not([type=radio])")].every((input) => !input.value);

const add = (box) => {
  const last = rowsOf(box).at(-1);
  const fresh = last.cloneNode(true);
  fresh.querySelectorAll("input:not([type=radio])").forEach((input) => {
    input.value = "";
    input.removeAttribute("id");
    input.classList.remove("is-invalid");
  });
  const radio = fresh.querySelector("input[type=radio]");
  if (radio) radio.checked = false;
  last.after(fresh);
  number(box);
  fresh.querySelector("input:not([type=radio])").focus();
};

const remove = (box, row) => {
  row.remove();
  number(box);
  box.dispatchEvent(new Event("input", { bubbles: true }));
};

// The spare row only helps where there are no scripts: here a button adds one when it is wanted.
const start = (box) => {
  if (box.dataset.rows === "ready") return;
  box.dataset.rows = "ready";
  const rows = rowsOf(box);
  if (rows.length > 1 && isEmpty(rows.at(-1))) rows.at(-1).remove();
  number(box);
};

const startAll = () => document.querySelectorAll("[data-rows]").forEach(start);

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-row-add], [data-row-remove]");
  if (!button) return;
  const box = button.closest("[data-rows]");
  if (button.matches("[data-row-add]")) add(box);
  else remove(box, button.closest("[data-row]"));
});
document.addEventListener("htmx:afterSettle", startAll);
startAll();
