// Calls on the screen: asked for when a page opens and whenever one of mine changes; numbers are called by a click.
const slot = document.getElementById("calls");
const PHONE = "contentum-phone";
const FOLDED = "contentum-calls-folded";
const RECHECK = 5 * 60_000;

const read = (name) => { try { return JSON.parse(sessionStorage.getItem(name)); } catch { return null; } };
const write = (name, value) => { try { sessionStorage.setItem(name, JSON.stringify(value)); } catch { /* storage may be forbidden */ } };

const hasPhone = () => read(PHONE)?.yes === true;

// Who has no telephone is asked again after a while only; an incoming call asks by itself.
function ask() {
  const known = read(PHONE);
  if (known && !known.yes && Date.now() - known.at < RECHECK) return;
  window.htmx.trigger(slot, "calls-ask");
}

// What the reader chose for a call holds; else the latest one is open and the others are folded.
const choices = () => read(FOLDED) || {};
function fold(card, yes) {
  card.classList.toggle("is-folded", yes);
  card.querySelector("[data-call-fold]")?.setAttribute("aria-expanded", String(!yes));
}

function tick() {
  for (const clock of document.querySelectorAll("[data-ticks]")) {
    const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(clock.dataset.ticks)) / 1000));
    clock.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }
}

if (slot) {
  document.addEventListener("htmx:afterSettle", (event) => {
    const shown = document.getElementById("calls-shown");
    if (!shown || (event.detail.elt !== shown && !shown.contains(event.detail.elt))) return;
    write(PHONE, { yes: shown.dataset.phone === "yes", at: Date.now() });
    const here = [...shown.querySelectorAll("[data-call]")];
    const chosen = choices();
    here.forEach((card, place) => fold(card, chosen[card.dataset.call] ?? place > 0));
    write(FOLDED, Object.fromEntries(here.map((card) => card.dataset.call).filter((pk) => pk in chosen).map((pk) => [pk, chosen[pk]])));
    tick();
  });
  slot.addEventListener("click", (event) => {
    const button = event.target.closest("[data-call-fold]");
    if (event.target.closest("[data-call-dismiss]")) document.getElementById("calls-refused").replaceChildren();
    if (!button) return;
    const card = button.closest("[data-call]");
    const yes = !card.classList.contains("is-folded");
    fold(card, yes);
    write(FOLDED, { ...choices(), [card.dataset.call]: yes });
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="tel:"]');
    if (!link || !hasPhone() || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    document.getElementById("calls-refused").replaceChildren();
    const number = decodeURIComponent(link.getAttribute("href").slice(4)).split(";")[0].split(",")[0];
    window.htmx.ajax("POST", slot.dataset.callUrl, {
      source: slot, target: "#calls-refused", swap: "innerHTML", values: { number, page: link.dataset.callPage || location.pathname },
    });
  });
  setInterval(tick, 1000);
  // htmx knows the page's elements once the document is ready, and a module runs before.
  if (document.readyState === "complete") ask();
  else document.addEventListener("DOMContentLoaded", () => setTimeout(ask));
}
