// [data-tag-search]: what is typed (its last part) narrows the tags below; Enter on a name that is there ticks it.
const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").replace(/[łŁ]/g, "l").toLowerCase().trim();
const options = (field) => [...field.closest("form").querySelectorAll(".tag-option")];
const part = (field) => fold(field.value.split(",").at(-1));

document.addEventListener("input", (event) => {
  if (!event.target.matches?.("[data-tag-search]")) return;
  const wanted = part(event.target);
  for (const option of options(event.target)) option.hidden = !fold(option.textContent).includes(wanted);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.ctrlKey || !event.target.matches?.("[data-tag-search]")) return;
  const wanted = part(event.target);
  const same = wanted && options(event.target).find((option) => fold(option.textContent) === wanted);
  if (!same) return;
  event.preventDefault();
  same.querySelector("input").checked = true;
  event.target.value = event.target.value.split(",").slice(0, -1).join(",");
  for (const option of options(event.target)) option.hidden = false;
});
