// [data-shown-if=name][data-shown-if-values=[…]]: a field is shown while the field of that name has one of the values.
const valuesOf = (form, name) => {
  const controls = [...form.elements].filter((control) => control.name === name);
  const boxes = controls.filter((control) => control.type === "checkbox" || control.type === "radio");
  if (!boxes.length) return controls.map((control) => control.value);
  const ticked = boxes.filter((box) => box.checked).map((box) => box.value);
  const single = boxes.length === 1 && boxes[0].value === "on";
  return single ? [boxes[0].checked ? "yes" : "no"] : ticked;
};

const holds = (form, field) => {
  const decider = [...form.querySelectorAll("[name]")].find((control) => control.name === field.dataset.shownIf);
  if (!decider) return true;
  if (decider.closest("[data-shown-if]")?.hidden) return false;
  const wanted = JSON.parse(field.dataset.shownIfValues);
  return valuesOf(form, field.dataset.shownIf).some((value) => wanted.includes(value));
};

const refresh = (form) => {
  const fields = [...form.querySelectorAll("[data-shown-if]")];
  // A chain of conditions settles after as many rounds as it is long.
  for (let round = 0; round < fields.length; round += 1) {
    let changed = false;
    for (const field of fields) {
      const hidden = !holds(form, field);
      if (field.hidden !== hidden) {
        field.hidden = hidden;
        changed = true;
      }
    }
    if (!changed) break;
  }
};

const refreshAll = (root) => {
  const forms = new Set([...root.querySelectorAll("[data-shown-if]")].map((field) => field.closest("form")));
  forms.forEach((form) => form && refresh(form));
};

document.addEventListener("change", (event) => {
  const form = event.target.closest?.("form");
  if (form) refresh(form);
});
document.addEventListener("htmx:afterSettle", () => refreshAll(document));
refreshAll(document);
