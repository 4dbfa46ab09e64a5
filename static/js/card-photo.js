// Shows the chosen photo of a business card beside the form, so that it can be typed from.
document.addEventListener("change", (event) => {
  const field = event.target.closest?.("input[type=file][data-photo]");
  if (!field) return;
  const image = document.getElementById(field.dataset.photo);
  const file = field.files[0];
  image.hidden = true;
  if (!file || !file.type.startsWith("image/")) return;
  const reader = new FileReader();
  reader.addEventListener("load", () => {
    image.src = reader.result;
    image.hidden = false;
  });
  reader.readAsDataURL(file);
});
