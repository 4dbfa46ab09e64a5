// The commands of this page: whatever stands in [data-commands=go|create|here|me], found by the beginnings of its words.
const ORDER = ["here", "create", "go", "me"];
const FEW = 6;
const LETTERS = { "ł": "l", "đ": "d", "ø": "o", "ß": "ss", "æ": "ae", "œ": "oe" };

const fold = (text) => text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "").replace(/[łđøßæœ]/g, (letter) => LETTERS[letter]).replace(/\s+/g, " ").trim();
const nameOf = (one) => (one.dataset.command || one.getAttribute("aria-label") || one.textContent || one.title).replace(/\s+/g, " ").trim();

function suits(words, text) {
  const padded = ` ${text}`;
  return words.every((word) => padded.includes(` ${word}`));
}

function option(target, name, kind) {
  const row = document.createElement("a");
  row.className = "palette-option";
  row.tabIndex = -1;
  row.setAttribute("role", "option");
  const mark = target.querySelector("svg.icon");
  if (mark) row.append(mark.cloneNode(true));
  const text = document.createElement("span");
  text.className = "palette-text";
  text.textContent = name;
  const small = document.createElement("small");
  small.textContent = kind;
  row.append(text, small);
  const plain = target.href && !target.dataset.dialog && !target.hasAttribute("hx-get");
  if (plain) row.href = target.href;
  else row.addEventListener("click", () => target.click());
  return row;
}

function all(group) {
  const targets = [...document.querySelectorAll(`[data-commands="${group}"]`)].flatMap((place) => [...place.querySelectorAll("a[href], button:not([disabled])")]);
  const seen = new Set();
  return targets.filter((one) => {
    const name = nameOf(one);
    return name && !one.hasAttribute("data-no-command") && !seen.has(name) && seen.add(name);
  });
}

// The options for what was typed; a few of the page's own when nothing was.
export function commands(typed, texts) {
  const words = fold(typed).split(" ").filter(Boolean);
  const kinds = { go: texts.textGo, create: texts.textCreate, here: texts.textHere, me: texts.textMe };
  const rows = [];
  for (const group of ORDER) {
    const fitting = all(group).filter((one) => suits(words, fold(`${kinds[group]} ${nameOf(one)}`)));
    rows.push(...fitting.slice(0, words.length || group === "go" ? undefined : FEW).map((one) => option(one, nameOf(one), kinds[group])));
  }
  return rows;
}
