// Keeps the page's own files, so that it opens without its server and says "no contact" itself.
const KEPT = 'eutectic-1';
const FILES = ['/', 'page.css', 'icon.svg', 'manifest.webmanifest', 'page.js', 'link.js', 'state.js',
  'dom.js', 'paint.js', 'hand.js', 'faders.js', 'focus.js', 'notes.js', 'kept.js', 'heard.js', 'time.js', 'tone.js', 'voices.js', 'matrix.js', 'sounds.js', 'drawers.js', 'keys.js'];

self.addEventListener('install', e => {
  self.skipWaiting();
  e.waitUntil(caches.open(KEPT).then(kept => kept.addAll(FILES)));
});
self.addEventListener('activate', e => e.waitUntil(self.clients.claim()));
// The server's answer first: a page that was kept is never newer.
self.addEventListener('fetch', e => {
  const path = new URL(e.request.url).pathname.slice(1) || '/';
  if (e.request.method !== 'GET' || !FILES.includes(path)) return;
  e.respondWith(fetch(e.request).then(fresh => {
    const copy = fresh.clone();
    // Where there is no room to keep it, it is shown all the same.
    if (fresh.ok) e.waitUntil(caches.open(KEPT).then(kept => kept.put(e.request, copy)).catch(() => {}));
    return fresh;
  }, () => caches.match(e.request, { ignoreSearch: true })));
});
