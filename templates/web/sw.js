// The service worker: when the network is gone, navigation shows the offline page. Nothing else is kept or touched.
const KEPT = "contentum-offline-{{ version|escapejs }}";
const OFFLINE = "{{ offline|escapejs }}";
const FILES = [{% for file in files %}"{{ file|escapejs }}"{% if not forloop.last %}, {% endif %}{% endfor %}];

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(KEPT);
    // Without cookies: the page is the same for everybody.
    await cache.addAll([OFFLINE, ...FILES].map((url) => new Request(url, { credentials: "omit", cache: "reload" })));
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith("contentum-offline-") && name !== KEPT) await caches.delete(name);
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const kept = request.mode === "navigate" ? OFFLINE : FILES.find((file) => request.url === new URL(file, self.location).href);
  if (kept) event.respondWith(fetch(request).catch(async (error) => (await caches.match(kept, { ignoreVary: true })) || Promise.reject(error)));
});
