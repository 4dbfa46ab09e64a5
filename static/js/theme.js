// Runs before the first paint, so that a dark page never flashes white.
(function () {
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  function apply() {
    const wanted = root.dataset.theme;
    root.dataset.bsTheme = wanted === "light" || wanted === "dark" ? wanted : system.matches ? "dark" : "light";
  }
  apply();
  system.addEventListener("change", apply);
})();
