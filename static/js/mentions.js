// textarea[data-mentions]: "@" and a few letters offer people (a list of [data-login] from that address).
let open = null;

const before = (field) => /(?:^|[^\w@.+-])@([\p{L}\w.+-]{0,40})$/u.exec(field.value.slice(0, field.selectionStart));

const close = () => {
  if (!open) return;
  open.field.removeAttribute("aria-activedescendant");
  open.list.remove();
  open = null;
};

const mark = (place) => {
  const all = [...open.list.children];
  open.place = (place + all.length) % all.length;
  all.forEach((option, index) => option.setAttribute("aria-selected", String(index === open.place)));
  open.field.setAttribute("aria-activedescendant", all[open.place].id);
};

const choose = (option) => {
  const { field } = open;
  const end = field.selectionStart;
  const start = end - before(field)[1].length;
  field.setRangeText(`${option.dataset.login} `, start, end, "end");
  close();
  field.focus();
};

const offer = async (field) => {
  const found = before(field);
  if (!found) return close();
  const asked = found[1];
  const answer = await fetch(`${field.dataset.mentions}?q=${encodeURIComponent(asked)}`);
  if (!answer.ok || before(field)?.[1] !== asked) return;
  const html = new DOMParser().parseFromString(await answer.text(), "text/html");
  close();
  const options = [...html.querySelectorAll("[data-login]")];
  if (!options.length) return;
  const list = document.createElement("ul");
  list.className = "mention-list";
  list.setAttribute("role", "listbox");
  list.append(...options);
  field.after(list);
  open = { field, list, place: 0 };
  mark(0);
};

document.addEventListener("input", (event) => {
  if (event.target.matches?.("textarea[data-mentions]")) offer(event.target);
});

document.addEventListener("keydown", (event) => {
  if (!open || event.target !== open.field) return;
  if (event.key === "ArrowDown") mark(open.place + 1);
  else if (event.key === "ArrowUp") mark(open.place - 1);
  else if (event.key === "Enter" || event.key === "Tab") choose(open.list.children[open.place]);
  else if (event.key === "Escape") close();
  else return;
  event.preventDefault();
  event.stopPropagation();
}, true);

document.addEventListener("mousedown", (event) => {
  if (!open) return;
  const option = event.target.closest?.(".mention-list [data-login]");
  if (option) {
    event.preventDefault();
    choose(option);
  } else if (event.target !== open.field) close();
});
