// [data-picker]: typing offers records (htmx fills .picker-options); choosing one puts its id into the hidden field.
const parts = (picker) => ({
  value: picker.querySelector("input[type=hidden]"),
  text: picker.querySelector("input[type=search]"),
  options: picker.querySelector(".picker-options"),
});

const close = (picker) => {
  const { text, options } = parts(picker);
  options.replaceChildren();
  text.setAttribute("aria-expanded", "false");
};

const choose = (picker, option) => {
  const { value, text } = parts(picker);
  value.value = option.dataset.value;
  text.value = option.dataset.text;
  close(picker);
  text.focus();
  value.dispatchEvent(new Event("change", { bubbles: true }));
};

document.addEventListener("click", (event) => {
  const option = event.target.closest?.("[data-picker] [data-value]");
  if (option) choose(option.closest("[data-picker]"), option);
  for (const picker of document.querySelectorAll("[data-picker]")) if (!picker.contains(event.target)) close(picker);
});

document.addEventListener("input", (event) => {
  const picker = event.target.closest?.("[data-picker]");
  if (picker) parts(picker).value.value = "";
});

document.addEventListener("keydown", (event) => {
  const picker = event.target.closest?.("[data-picker]");
  if (!picker) return;
  const all = [...picker.querySelectorAll("[data-value]")];
  const place = all.indexOf(document.activeElement);
  if (event.key === "ArrowDown" && all.length) all[Math.min(place + 1, all.length - 1)].focus();
  else if (event.key === "ArrowUp" && place > 0) all[place - 1].focus();
  else if (event.key === "ArrowUp" && place === 0) parts(picker).text.focus();
  else if (event.key === "Enter" && place < 0 && all.length) choose(picker, all[0]);
  else if (event.key === "Escape" && all.length) close(picker), event.stopPropagation();
  else return;
  event.preventDefault();
}, true);

document.addEventListener("htmx:afterSwap", (event) => {
  const picker = event.detail.target.closest?.("[data-picker]");
  if (!picker) return;
  parts(picker).text.setAttribute("aria-expanded", String(event.detail.target.childElementCount > 0));
  event.detail.target.scrollIntoView({ block: "nearest" });
});
