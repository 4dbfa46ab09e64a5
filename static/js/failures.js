// A request that failed says so, and what was kept; the page stays as it was.
const text = document.body.dataset;
const failed = (message) => {
  const detail = { messages: [{ text: message, level: "danger" }] };
  document.body.dispatchEvent(new CustomEvent("toast", { detail }));
};

document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  failed(status === 403 ? text.textDenied : status === 404 ? text.textGone : text.textFailed);
});
document.addEventListener("htmx:sendError", () => failed(text.textOffline));
document.addEventListener("htmx:timeout", () => failed(text.textOffline));
