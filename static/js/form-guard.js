// A form is sent once: its buttons rest until the answer is here. (The server's one-time token is the real guard.)
const rest = (form, resting) => {
  form.toggleAttribute("data-sending", resting);
  for (const button of form.querySelectorAll("button:not([type=button]), input[type=submit]")) {
    button.setAttribute("aria-disabled", String(resting));
  }
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.hasAttribute("data-no-guard") || form.method === "get") return;
  if (form.hasAttribute("data-sending")) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  // After the event: a resting button's name and value would not be sent.
  setTimeout(() => {
    if (!event.defaultPrevented || form.matches("[hx-post], [hx-put], [hx-patch], [hx-delete]")) rest(form, true);
  });
}, true);

document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt.closest?.("form");
  if (form) setTimeout(() => rest(form, false));
});
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sending]").forEach((form) => rest(form, false)));
