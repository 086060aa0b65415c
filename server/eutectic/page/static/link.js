// The WebSocket: the OSC table's messages as JSON, with ids, contact, and what was missed.

const NO_CONTACT = { code: 'no_contact', text: 'no contact' };
const PREFIX = '/eutectic', SILENT_MS = 1000, PING_MS = 350, SLOWEST_MS = 8000;
/** Messages that are sent unasked, and counted in /seq; after an id of -1, where they have one. Those of
 *  UNNUMBERED are for the whole page, whoever asked. */
const EVENTS = new Set(['/engine', '/queue', '/xrun', '/device', '/voice', '/voice/notes', '/voice/strip', '/voice/axis', '/focus', '/history',
  '/live', '/tempo', '/input', '/master', '/recording', '/client', '/preset/changed']);
const UNNUMBERED = new Set([...EVENTS, '/seq', '/snapshot', '/started', '/ended']);
const EVENTS_WITH_ID = new Set(['/clip', '/reference', '/favourite', '/preset', '/session', '/pair.reply']);

export const contact = { lost: true, since: Date.now(), next: 0, daemon: true, local: false, pin: false, urls: [], code: '', known: false };
const pending = new Map(), drawn = new Map();
let on, socket, id = 0, heard = 0, pinged = 0, wait = 500, retry = 0, count = 0, asked = 0;

/** `handlers`: message(address, values), meters(rows), contact(), closed(code), name(). */
export function start(handlers) {
  on = handlers;
  open();
  setInterval(watch, 200);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) { heard = performance.now(); ping(); } });
}

function open() {
  clearTimeout(retry);
  contact.next = 0;
  heard = performance.now(); // a connection has as long to open as one that is open may be silent
  const own = socket = new WebSocket(`${location.protocol.replace('http', 'ws')}//${location.host}/osc`);
  own.binaryType = 'arraybuffer';
  own.onmessage = e => { if (own === socket) receive(e.data); };
  own.onclose = e => { if (own === socket) closed(e.code); };
}

function closed(code) {
  socket = null;
  lose();
  abandon(pending, drawn);
  contact.next = Date.now() + wait;
  retry = setTimeout(open, wait);
  wait = Math.min(2 * wait, SLOWEST_MS);
  on.closed(code);
}
/** Nobody will answer these: whoever waits for them is told. */
function abandon(...all) {
  for (const requests of all) {
    for (const { reject } of requests.values()) reject(NO_CONTACT);
    requests.clear();
  }
}
/** Try again now: the PIN was right, or somebody doesn't want to wait. */
export function again() { wait = 500; if (!socket) open(); }

function lose() {
  if (!contact.lost) { contact.lost = true; contact.since = Date.now() - (performance.now() - heard); }
  on.contact();
}

function watch() {
  const silent = performance.now() - heard;
  if (document.hidden || !socket) { if (contact.lost) on.contact(); return; }
  if (contact.lost) on.contact();
  else if (silent > SILENT_MS) lose();
  if (silent > PING_MS && contact.daemon) ping();
  // A connection that only looks open is given up.
  if (silent > 4 * SILENT_MS && contact.daemon) { const old = socket; closed(0); old.close(); }
}
function ping() {
  if (performance.now() - pinged > PING_MS) { pinged = performance.now(); post('/ping', ++id); }
}
function post(address, ...values) {
  if (socket?.readyState !== 1) return false;
  socket.send(JSON.stringify([address.startsWith('/page/') ? address : PREFIX + address, ...values]));
  return true;
}
function greet() {
  asked = performance.now();
  post('/notify', 1, '@meter', 1, '@log', 1, '@name', on.name());
}

/** Send a message that isn't answered; false without contact. */
export const send = (address, ...values) => !contact.lost && post(address, ...values);

/** Send a request: its `/done` resolves, its `/fail` rejects with { code, text }.
 *  `between(address, values)` gets what comes before that. */
export function ask(address, values = [], between = () => {}) {
  const own = ++id;
  return new Promise((resolve, reject) => {
    if (!contact.lost && post(address, own, ...values)) pending.set(own, { resolve, reject, between });
    else reject(NO_CONTACT);
  });
}
/** The id of the request that was sent last. */
export const lastId = () => id;

/** A thumbnail, { w, h, data }: of a fusion by its key, or of a clip by its name. */
export function picture(what, key) {
  const own = ++id;
  return new Promise((resolve, reject) => {
    if (post('/page/picture', own, what, key)) drawn.set(own, { resolve, reject }); else reject(NO_CONTACT);
  });
}
/** The window of a pair: { points: [[blend, likeOriginal, likeReference], …], balance }. */
export function fusionWindow(original, reference) {
  const own = ++id;
  return new Promise((resolve, reject) => {
    if (post('/page/window', own, original, reference)) drawn.set(own, { resolve, reject }); else reject(NO_CONTACT);
  });
}

function receive(data) {
  heard = performance.now();
  // A daemon that hung goes on where it was: what has been missed since is asked for.
  if (contact.lost && contact.daemon && contact.known && heard - asked > SILENT_MS) greet();
  if (typeof data !== 'string') return binary(data);
  for (const [address, ...values] of JSON.parse(data)) {
    if (address.startsWith('/page/')) own(address.slice(6), values);
    else take(address.slice(PREFIX.length), values);
  }
}
function binary(buffer) {
  const view = new DataView(buffer), what = view.getUint8(0);
  if (what === 1) return on.meters(new Float32Array(buffer, 4));
  const w = view.getUint16(8, true), h = view.getUint16(10, true), number = view.getUint32(4, true);
  drawn.get(number)?.resolve({ w, h, data: new Uint8Array(buffer, 12) });
  drawn.delete(number);
}
function own(what, values) {
  if (what === 'daemon') {
    contact.daemon = !!values[0];
    if (contact.daemon) greet(); else { lose(); abandon(pending); }
  } else if (what === 'info') {
    [contact.local, contact.urls, contact.code] = [!!values[0], values[1], values[2]];
    // What the connection before this one said is over: that the daemon was away, or a PIN needed.
    Object.assign(contact, { known: true, daemon: true, pin: false });
    on.contact();
    greet();
  } else if (what === 'window') {
    drawn.get(values[0])?.resolve({ points: values[1], balance: values[2] });
    drawn.delete(values[0]);
  } else if (what === 'fail') {
    drawn.get(values[0])?.reject({ text: values[1] });
    drawn.delete(values[0]);
  }
}

function take(address, values) {
  if (address === '/snapshot') {
    count = 0;
    wait = 500;
    contact.lost = false;
  } else if (address === '/seq') {
    // Less than was sent: something is missing, so all of it again.
    if (count < values[0] && performance.now() - asked > SILENT_MS) greet();
  } else if (EVENTS.has(address) || (EVENTS_WITH_ID.has(address) && values[0] === -1)) count++;
  if (address === '/done' || address === '/fail') {
    const request = pending.get(values[1]);
    // That there was no daemon for it has been said to the whole page.
    if (!request) { if (address === '/fail' && values[2] !== 'no_daemon') on.message(address, values); return; }
    pending.delete(values[1]);
    if (address === '/done') request.resolve(values.slice(2));
    else request.reject({ code: values[2], text: values[3] });
    return;
  }
  const request = UNNUMBERED.has(address) ? null : pending.get(values[0]);
  if (request) request.between(address, values);
  else on.message(address, values);
}
