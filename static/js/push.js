// Pushed notifications are turned on in this browser: the browser is asked on the click, never before.
const box = () => document.getElementById("browsers");
const say = (word) => box().querySelectorAll("[data-push-says]").forEach((text) => (text.hidden = text.dataset.pushSays !== word));
const subscription = async () => (await navigator.serviceWorker.ready).pushManager.getSubscription();

const hindrance = () => {
  if (!window.isSecureContext) return "insecure";
  if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) return "unable";
  return Notification.permission === "denied" ? "denied" : "";
};

const rowOf = (found) => found && [...box().querySelectorAll("[data-endpoint]")].find((row) => row.dataset.endpoint === found.endpoint);

const show = async () => {
  const button = box().querySelector("[data-push-on]");
  const word = hindrance();
  say(word);
  if (word) {
    button.hidden = true;
    return;
  }
  const row = rowOf(await subscription());
  if (row) row.querySelector("[data-push-here]").hidden = false;
  button.hidden = Boolean(row);
};

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));

const subscribe = async () => {
  await (await subscription())?.unsubscribe();
  const { pushManager } = await navigator.serviceWorker.ready;
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(box().dataset.serverKey) });
};

// Without a way to its push service a browser may try for ever and say nothing.
const patience = () => new Promise((_resolve, reject) => setTimeout(reject, 20_000));

document.addEventListener("click", async (event) => {
  const form = event.target.closest("[data-push-on] button")?.form;
  if (!form) return;
  if ((await Notification.requestPermission()) !== "granted") return show();
  const button = event.target.closest("button");
  button.disabled = true;
  try {
    const { endpoint, keys } = (await Promise.race([subscribe(), patience()])).toJSON();
    form.elements.endpoint.value = endpoint;
    form.elements.public_key.value = keys.p256dh;
    form.elements.auth.value = keys.auth;
    form.requestSubmit();
  } catch {
    say("failed");
  }
  button.disabled = false;
});

document.addEventListener("submit", async (event) => {
  const row = event.target.matches("[data-push-off]") && event.target.closest("[data-endpoint]");
  const found = row && (await subscription());
  if (found && found.endpoint === row.dataset.endpoint) found.unsubscribe();
});

document.addEventListener("htmx:load", (event) => {
  if (event.detail.elt === box()) show();
});
show();
