// Stands on a foreign page: <script async src="…/static/js/web-form-embed.js" data-form="https://crm…/forms/key/"></script>
// Puts the form into a frame after itself, hands it the page's address and referrer, and keeps the frame as high as it needs.
(function () {
  const script = document.currentScript;
  const address = new URL(script.dataset.form);
  const wanted = new URLSearchParams(location.search);
  for (const [name, value] of wanted) if (name.startsWith("utm_")) address.searchParams.set(name, value.slice(0, 200));
  address.searchParams.set("page", location.href.slice(0, 500));
  if (document.referrer) address.searchParams.set("referrer", document.referrer.slice(0, 500));
  const frame = document.createElement("iframe");
  frame.src = address.href;
  frame.title = script.dataset.title || "Form";
  frame.style.cssText = "width:100%;border:0;min-height:320px";
  window.addEventListener("message", (event) => {
    const height = event.source === frame.contentWindow && event.origin === address.origin && Number(event.data?.contentumFormHeight);
    if (height > 0 && height < 10000) frame.style.height = `${height}px`;
  });
  script.after(frame);
})();
