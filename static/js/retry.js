// The offline page: tries again on request, and by itself once the network is back.
document.addEventListener("click", (event) => { if (event.target.closest("[data-retry]")) window.location.reload(); });
window.addEventListener("online", () => window.location.reload());
