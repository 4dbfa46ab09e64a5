// One stream of live events for all tabs of this browser; each event becomes DOM events on <body>:
//   live:<kind>, live:<record kind>, live:<record kind>:<id>   with detail {kind, record, id}
const CHANNEL = "contentum-live";
const LAST = "contentum-live-last";
const channel = "BroadcastChannel" in window ? new BroadcastChannel(CHANNEL) : null;

function announce(change) {
  const names = new Set([`live:${change.kind}`]);
  if (change.record) {
    names.add(`live:${change.record}`);
    names.add(`live:${change.record}:${change.id}`);
  }
  names.forEach((name) => document.body.dispatchEvent(new CustomEvent(name, { detail: change })));
}

function remember(id) {
  try { localStorage.setItem(LAST, id); } catch { /* storage may be forbidden; then a page change may miss an event */ }
}

function remembered() {
  try { return localStorage.getItem(LAST) || ""; } catch { return ""; }
}

let hiddenSince = 0;
const POLL = 60_000;

// Without a stream (a proxy that cuts it, too many open) the bell is asked once a minute, while somebody looks.
async function poll() {
  let known = null;
  for (;;) {
    await new Promise((done) => setTimeout(done, POLL));
    if (document.hidden) continue;
    const bell = document.getElementById("bell")?.getAttribute("hx-get");
    const answer = bell && (await fetch(bell, { credentials: "same-origin" }).catch(() => null));
    if (!answer) continue;
    if (answer.redirected || !answer.ok) return; // signed out: the next click says so, what is typed stays
    const text = (await answer.text()).replace(/value="[^"]*"/g, "");
    if (known !== null && text !== known) announce({ kind: "notification", record: "", id: null });
    known = text;
  }
}

let polling = false;

// Resolves once nobody looks at this page any more; then another tab may listen.
function listen() {
  if (document.hidden) return Promise.resolve();
  return new Promise((ended) => {
    const away = hiddenSince && Date.now() - hiddenSince > 1000 ? "&away=1" : "";
    const stream = new EventSource(`/live/?last=${encodeURIComponent(remembered())}${away}`);
    const stop = () => {
      stream.close();
      document.removeEventListener("visibilitychange", hide);
      ended();
    };
    const hide = () => { if (document.hidden) stop(); };
    document.addEventListener("visibilitychange", hide);
    stream.onmessage = (event) => {
      const change = JSON.parse(event.data);
      if (event.lastEventId) remember(event.lastEventId);
      announce(change);
      channel?.postMessage(change);
    };
    // A dropped connection comes back by itself; a refused one does not.
    stream.onerror = () => {
      if (stream.readyState !== EventSource.CLOSED) return;
      stop();
      if (!polling) { polling = true; poll(); }
    };
    window.addEventListener("pagehide", stop, { once: true });
  });
}

if (channel) channel.onmessage = (event) => announce(event.data);

// A browser opens only six connections to a host: of all tabs in sight, the one that holds the lock listens.
function start() {
  if (polling || document.hidden) return;
  if (channel && navigator.locks) navigator.locks.request(CHANNEL, listen);
  else listen();
}

start();
document.addEventListener("visibilitychange", () => {
  if (document.hidden) hiddenSince = Date.now();
  else start();
});
// A page from the back-forward cache has closed its stream when it was left.
window.addEventListener("pageshow", (event) => { if (event.persisted) start(); });
