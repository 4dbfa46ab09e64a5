// [data-template-choice]: the chosen template fills the form's fields, except what somebody has typed, ticked or chosen.
const chosen = new WeakSet();
const filled = new WeakMap();
let isFilling = false;
const isTicked = (one) => one.type === "radio" || one.type === "checkbox";
const isText = (one) => !isTicked(one) && one.tagName !== "SELECT";
const state = (one) => (isTicked(one) ? one.checked : one.value);
const named = (form, name) => [...form.elements].filter((one) => one.name === name);

function initial(one) {
  if (isTicked(one)) return one.defaultChecked;
  if (isText(one)) return "";
  return ([...one.options].find((option) => option.defaultSelected) ?? one.options[0])?.value;
}

// A refused form comes back with what was chosen as if it were the form's own.
const isOpen = (one) => state(one) === (filled.get(one) ?? initial(one)) && (isText(one) || !(chosen.has(one) || one.form.querySelector("[role=alert]")));

function fill(controls, value) {
  if (!controls.length || !controls.every(isOpen)) return;
  const wanted = [value].flat().map(String);
  const isSilent = wanted.length === 0 || wanted[0] === "";
  if (isSilent && !controls.some((one) => filled.has(one))) return;
  for (const one of controls) {
    // What another template has filled goes again with it.
    if (isSilent) isTicked(one) ? (one.checked = initial(one)) : (one.value = initial(one));
    else if (isTicked(one)) one.checked = wanted.includes(one.value);
    else one.value = wanted[0];
    if (isSilent) filled.delete(one);
    else filled.set(one, state(one));
  }
  const told = controls.find((one) => one.checked) ?? controls[0];
  isFilling = true;
  for (const name of ["input", "change"]) told.dispatchEvent(new Event(name, { bubbles: true }));
  isFilling = false;
}

document.addEventListener("change", ({ target }) => {
  const { form } = target;
  const choice = form?.querySelector("[data-template-choice] select");
  if (!choice || isFilling) return;
  if (target !== choice) return named(form, target.name).forEach((one) => chosen.add(one));
  const fills = JSON.parse(choice.selectedOptions[0]?.dataset.fills ?? "{}");
  for (const [name, value] of Object.entries(fills)) fill(named(form, choice.dataset.prefix + name), value);
});

// Without this script there is nothing to choose.
const show = () => document.querySelectorAll("[data-template-choice][hidden]").forEach((field) => { field.hidden = false; });
document.addEventListener("htmx:load", show);
show();
