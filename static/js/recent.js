// Which cards this browser's reader looked at lately: kinds and numbers only; names come from the server, with rights.
const MOST = 8;
const key = () => `contentum-recent-${document.getElementById("palette")?.dataset.reader}`;

function read() {
  try { return JSON.parse(localStorage.getItem(key()) || "[]").filter((one) => typeof one === "string"); } catch { return []; }
}

export const recent = () => read().join(",");

const card = document.querySelector("[data-card]")?.dataset.card;
if (card) {
  try { localStorage.setItem(key(), JSON.stringify([card, ...read().filter((one) => one !== card)].slice(0, MOST))); } catch { /* storage may be forbidden */ }
}
