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

function listen() {
  return new Promise((ended) => {
    const stream = new EventSource(`/live/?last=${encodeURIComponent(remembered())}`);
    stream.onmessage = (event) => {
      const change = JSON.parse(event.data);
      if (event.lastEventId) remember(event.lastEventId);
      announce(change);
      channel?.postMessage(change);
    };
    // A dropped connection comes back by itself; a refused one (signed out) does not.
    stream.onerror = () => { if (stream.readyState === EventSource.CLOSED) ended(); };
    window.addEventListener("pagehide", () => { stream.close(); ended(); }, { once: true });
  });
}

if (channel) channel.onmessage = (event) => announce(event.data);

// A browser opens only six connections to a host: of all tabs, the one that holds the lock listens.
function start() {
  if (channel && navigator.locks) navigator.locks.request(CHANNEL, listen);
  else listen();
}

start();
// A page from the back-forward cache has closed its stream when it was left.
window.addEventListener("pageshow", (event) => { if (event.persisted) start(); });
