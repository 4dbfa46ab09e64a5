// The one <dialog> of the page: opens when htmx has filled it, keeps what was typed from a slip.
const dialog = document.getElementById("dialog");
const inside = document.getElementById("dialog-body");
let look = "center";
let opener = null;
let typed = false;

function mayLeave() {
  return !typed || window.confirm(document.body.dataset.textLeave);
}

function shut() {
  if (!dialog.open) return;
  dialog.close();
}

function nameIt() {
  const heading = inside.querySelector("h1, h2, [data-dialog-title]");
  if (heading && !heading.id) heading.id = "dialog-title";
}

// What has a look and no place of its own answers in the dialog.
document.addEventListener("htmx:beforeProcessNode", ({ target }) => {
  if (!target.matches?.("[data-dialog]") || target.hasAttribute("hx-target")) return;
  target.setAttribute("hx-target", "#dialog-body");
  target.setAttribute("hx-swap", "innerHTML");
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-dialog]");
  if (link) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    look = link.dataset.dialog || "center";
    opener = link;
  }
  if (event.target.closest("[data-dialog-close]") && mayLeave()) shut();
  if (event.target === dialog && mayLeave()) shut();
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target !== inside || !inside.childElementCount) return;
  typed = false;
  dialog.dataset.look = look;
  nameIt();
  if (!dialog.open) dialog.showModal();
  const wanted = inside.querySelector("[autofocus]") || inside.querySelector(".is-invalid");
  (wanted || inside.querySelector("input:not([type=hidden]), select, textarea"))?.focus();
});

// A form that swaps itself (422) keeps the dialog named and the first wrong field focused.
document.addEventListener("htmx:afterSettle", (event) => {
  if (!dialog.open || !inside.contains(event.detail.elt)) return;
  nameIt();
  const wrong = inside.querySelector(".is-invalid");
  typed = Boolean(wrong);
  wrong?.focus();
});

// An answer or another module may ask for more: {"dialog-open": {"url": …, "look": "side"}}.
document.body.addEventListener("dialog-open", ({ detail }) => {
  look = detail.look || "center";
  opener = document.activeElement;
  window.htmx.ajax("GET", detail.url, { target: "#dialog-body", swap: "innerHTML" });
});

dialog?.addEventListener("input", () => (typed = true));
dialog?.addEventListener("submit", () => (typed = false));
dialog?.addEventListener("cancel", (event) => {
  if (!mayLeave()) event.preventDefault();
});
dialog?.addEventListener("close", () => {
  inside.replaceChildren();
  typed = false;
  if (opener?.isConnected) opener.focus();
});
document.body.addEventListener("dialog-close", shut);

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const form = event.target.closest?.("form");
  if (!form) return;
  event.preventDefault();
  form.requestSubmit(form.querySelector("[type=submit].btn-primary") || undefined);
});
