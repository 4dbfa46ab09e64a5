// Tabs of a card: marks the chosen one, moves with the arrows, and remembers it in the address.
document.addEventListener("click", (event) => {
  const tab = event.target.closest("[role=tab]");
  if (!tab) return;
  const list = tab.closest("[role=tablist]");
  for (const other of list.querySelectorAll("[role=tab]")) {
    other.setAttribute("aria-selected", String(other === tab));
    other.tabIndex = other === tab ? 0 : -1;
  }
  const pane = document.getElementById(tab.getAttribute("aria-controls"));
  pane?.setAttribute("aria-labelledby", tab.id);
  if (!tab.dataset.panel) return;
  const address = new URL(window.location);
  address.searchParams.set("panel", tab.dataset.panel);
  window.history.replaceState(window.history.state, "", address);
});

document.addEventListener("keydown", (event) => {
  const tab = event.target.closest?.("[role=tab]");
  if (!tab || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  const tabs = [...tab.closest("[role=tablist]").querySelectorAll("[role=tab]")];
  const next = tabs.indexOf(tab) + (event.key === "ArrowRight" ? 1 : -1);
  const target = tabs[(next + tabs.length) % tabs.length];
  target.focus();
  target.click();
});
