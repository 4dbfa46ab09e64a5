// A request that failed says so, and what was kept; the page stays as it was.
const text = document.body.dataset;
const failed = (message) => {
  const detail = { messages: [{ text: message, level: "danger" }] };
  document.body.dispatchEvent(new CustomEvent("toast", { detail }));
};

document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  const known = { 403: text.textDenied, 404: text.textGone, 413: text.textLarge };
  failed(known[status] || text.textFailed);
});
document.addEventListener("htmx:sendError", () => failed(text.textOffline));
document.addEventListener("htmx:timeout", () => failed(text.textOffline));
