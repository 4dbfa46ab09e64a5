// The service worker: when the network is gone, navigation shows the offline page. Nothing else is kept or touched.
// What is pushed is shown, and a click on it leads to the record.
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

self.addEventListener("push", (event) => {
  const { title, url, ...told } = event.data.json();
  event.waitUntil(self.registration.showNotification(title, { ...told, icon: "{{ icon|escapejs }}", data: url }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil((async () => {
    const address = new URL(event.notification.data, self.location.origin);
    if (address.origin !== self.location.origin) return;
    const tabs = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
    const there = tabs.find((tab) => tab.url.split("#")[0] === address.href.split("#")[0]);
    // Another page of ours may hold an unsaved form: it is left as it is.
    await (there ? there.focus() : self.clients.openWindow(address.href));
  })());
});
