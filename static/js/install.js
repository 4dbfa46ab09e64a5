// The service worker brings the offline page; without it everything works as well.
if ("serviceWorker" in navigator) navigator.serviceWorker.register("/sw.js").catch(() => {});
