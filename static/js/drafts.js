// What was typed into a form stays in this tab until it is sent: a closed dialog, a reload or a lost session loses nothing.
const KEEP = "textarea, select, input:not([type=hidden], [type=password], [type=file], [type=checkbox], [type=radio], [type=search])";
const pattern = document.getElementById("draft-template");
const reader = document.getElementById("palette")?.dataset.reader;
let timer = null;

const wanted = (form) => reader && form?.method === "post" && !form.matches("[data-no-guard], [data-no-draft]") && !form.querySelector("[type=password]");
const key = (form) => `draft:${reader}:${form.getAttribute("action") || window.location.pathname}:${form.id}`;
const first = (field) => (field.tagName === "SELECT" ? [...field.options].find((one) => one.defaultSelected)?.value ?? field.options[0]?.value ?? "" : field.defaultValue);
const store = (name, value) => { try { if (value) sessionStorage.setItem(name, value); else sessionStorage.removeItem(name); } catch { /* storage may be forbidden or full */ } };
const stored = (name) => { try { return JSON.parse(sessionStorage.getItem(name)); } catch { return null; } };

function keep(form) {
  const typed = {};
  for (const field of form.querySelectorAll(KEEP)) if (field.name && field.value !== first(field)) typed[field.name] = field.value;
  store(key(form), Object.keys(typed).length ? JSON.stringify(typed) : "");
}

function forget(form) {
  clearTimeout(timer);
  store(key(form), "");
  form.querySelector(".draft-note")?.remove();
}

// A form that comes anew, as for another type, gets what was typed while it was on its way.
let replaced = false;
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!detail.target.matches?.("form") || !wanted(detail.target) || detail.requestConfig.verb !== "get") return;
  clearTimeout(timer);
  keep(detail.target);
  replaced = true;
});

function restore(form) {
  if (!wanted(form) || form.dataset.drafted || form.querySelector(".is-invalid")) return;
  form.dataset.drafted = "true";
  const typed = stored(key(form));
  let back = 0;
  for (const field of typed ? form.querySelectorAll(KEEP) : []) {
    if (!(field.name in typed) || field.value !== first(field) || field.value === typed[field.name]) continue;
    field.value = typed[field.name];
    back += field.value === typed[field.name];
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
  if (back && pattern && !replaced) form.prepend(pattern.content.cloneNode(true));
}

const within = (node) => [...(node.matches?.("form") ? [node] : []), ...(node.querySelectorAll?.("form") || [])].forEach(restore);

document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (!wanted(form)) return;
  clearTimeout(timer);
  timer = setTimeout(() => keep(form), 250);
});
document.addEventListener("click", (event) => {
  const form = event.target.closest?.("[data-draft-discard]")?.form;
  if (!form) return;
  forget(form);
  form.reset();
});
document.addEventListener("submit", (event) => { if (wanted(event.target) && !event.target.matches("[hx-post]")) forget(event.target); });
// Before the answer is swapped in: afterwards the form that was sent may have left the page, and its successor would be filled again.
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const { requestConfig, xhr } = event.detail;
  const form = requestConfig.elt.closest("form");
  if (form && wanted(form) && requestConfig.verb !== "get" && xhr.status < 400) forget(form);
});
document.addEventListener("htmx:afterSettle", (event) => { within(event.detail.elt); replaced = false; });
within(document);
