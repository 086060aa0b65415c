// What the daemon has told, and what is asked of it to know more: pairs, fans, pictures.
import { ask, contact, fusionWindow, picture } from './link.js';
import { clamp } from './dom.js';

export const s = {
  engine: { state: 'starting', fraction: 0, model: '', text: '', place: 'local' }, queue: 0, xruns: 0, device: null, number: 0,
  recording: { path: '', seconds: 0, free: 0, text: '', at: 0 }, input: { name: '', state: 'off', recording: [], text: '' },
  tempo: { bpm: 120, beat: 0, running: 0, clock: '', state: '', at: 0 },
  voices: new Map(), clips: new Map(), references: new Map(), favourites: new Map(), presets: new Map(), sessions: new Map(), listed: false, clients: new Map(),
  pairs: new Map(), fans: new Map(), windows: new Map(), waves: new Map(), pictures: new Map(),
  levels: new Map(), limiter: 0, log: [], pictured: 0, due: new Map(),
  focus: 1, row: '', view: 'scrub', filter: '', page: 0, quantise: 0,
};
const VOICE = ['voice', 'original', 'reference', 'blend', 'state', 'gain', 'recall', 'position', 'seconds', 'fraction',
  'loop', 'mute', 'seed', 'strength', 'cfg', 'pan', 'by'];
/** What else is told of voices, each in a message of its own; all of it is a voice's. */
const MORE = {
  '/voice/notes': ['rate', 'start', 'end', 'reverse', 'root', 'choke', 'attack', 'decay', 'sustain', 'release', 'by'],
  '/voice/strip': ['filter', 'cutoff', 'resonance', 'out1', 'send1', 'out2', 'send2', 'by'],
  '/voice/axis': ['across', 'y', 'low', 'high', 'placed', 'places', 'by', 'corners'],
  '/history': ['undo', 'redo'],
  '/live': ['liveReference', 'live', 'lag', 'dropped', 'liveText'],
};
/** Knobs and switches that are shown where the hand has them, until the daemon's word on it has come back. */
const KNOBS = ['blend', 'gain', 'recall', 'strength', 'cfg', 'pan', 'loop', 'mute'];
const LINGER_MS = 400;

let dirty = new Set(), wake = () => {};
/** `part` is to be drawn anew at the next frame. */
export function touch(...parts) { for (const part of parts) dirty.add(part); wake(); }
export function onTouch(wakes) { wake = wakes; }
export function takeDirty() { const was = dirty; dirty = new Set(); return was; }

export const pairKey = (original, reference) => `${original}\n${reference}`;
export const voice = () => s.voices.get(s.focus);
export const isLive = v => !!v?.live && v.live !== 'off';
/** What a voice plays: a clip, or what comes in. */
export const originalOf = v => v.original || (isLive(v) ? 'input' : '');
/** The reference that the hand has chosen. */
export const row = () => [s.row, voice()?.reference].find(each => s.references.has(each)) ?? s.references.keys().next().value;
export const isEngineOff = () => ['dead', 'failed', 'lost'].includes(s.engine.state);

// ---- What this page's own hand is moving ------------------------------------------------------

const held = new Map();
/** Hold a knob where the hand has it; `ends` when the hand has left, after which it stays for `linger` ms. */
export function hold(number, what, value, ends, linger = LINGER_MS) {
  held.set(number + what, { value, until: ends ? performance.now() + linger : Infinity });
  if (ends) setTimeout(touch, linger + 20, 'voices');
  touch('voices');
}
export function knob(v, what) {
  const own = held.get(v.voice + what);
  if (own && own.until > performance.now()) return own.value;
  held.delete(v.voice + what);
  return v[what];
}

/** Where a voice is in its sound, in seconds: between two events it goes on by itself. */
export function position(v, now) {
  if (v.state !== 'playing' || !v.seconds) return v.position;
  const at = v.position + (contact.lost ? 0 : (now - v.at) / 1000);
  return v.loop ? at % v.seconds : Math.min(at, v.seconds);
}

// ---- Events -----------------------------------------------------------------------------------

/** Of a snapshot that is coming in: what it hasn't named yet, and so will be gone. */
let unnamed = null;
const KINDS = ['voices', 'clips', 'references', 'favourites', 'presets', 'clients'];
function put(what, name, value) {
  unnamed?.get(what).delete(name);
  if (value) s[what].set(name, value); else s[what].delete(name);
}

const events = {
  '/snapshot': number => {
    s.number = number;
    unnamed = new Map(KINDS.map(what => [what, new Set(s[what].keys())]));
    s.pairs.clear();
    s.due.clear();
    more.clear(); // a voice that isn't live any more is only not named
    for (const fan of s.fans.values()) fan.asked = '';
    touch('strip', 'voices', 'matrix', 'foot', 'contact');
  },
  '/seq': () => {
    if (!unnamed) return;
    for (const [what, names] of unnamed) for (const name of names) s[what].delete(name);
    unnamed = null;
    if (!s.voices.has(s.focus) && s.voices.size) setFocus(Math.min(...s.voices.keys()));
    touch('strip', 'voices', 'matrix', 'sounds', 'drawer');
  },
  '/started': id => over(id),
  '/ended': (_, id) => over(id),
  '/engine': (state, fraction, model, text, place = 'local') => { s.engine = { state, fraction, model, text, place }; touch('strip', 'matrix', 'foot'); },
  '/queue': jobs => { s.queue = jobs; doubtFans(true); touch('strip'); },
  '/xrun': count => { s.xruns = count; touch('strip'); },
  '/device': (name, state) => { s.device = { name, state }; touch('strip'); },
  '/recording': (path, seconds, free, text) => { s.recording = { path, seconds, free, text, at: performance.now() }; touch('strip', 'drawer'); },
  '/client': (number, name, is) => { put('clients', number, is && name); touch('strip', 'drawer'); },
  '/clip': (_, clip, path, seconds, state, fraction) => {
    const before = s.clips.get(clip);
    if (before && (before.path !== path || before.seconds !== seconds)) s.waves.delete(clip);
    put('clips', clip, state !== 'freed' && { path, seconds, state, fraction });
    doubtPairs(clip, state);
    touch('matrix', 'sounds', 'voices', 'drawer');
  },
  '/reference': (_, reference, clip, prompt, state, fraction) => {
    if (s.references.get(reference)?.state !== state) doubtPairs(reference, state);
    put('references', reference, state !== 'freed' && { clip, prompt, state, fraction });
    touch('strip', 'matrix', 'sounds', 'voices', 'drawer');
  },
  '/favourite': (_, name, original, reference, blend, seconds, state) => {
    put('favourites', name, state !== 'freed' && { original, reference, blend, seconds, state });
    touch('sounds', 'drawer');
  },
  '/tempo': (bpm, beat, running, clock, state) => { s.tempo = { bpm, beat, running, clock, state, at: performance.now() }; touch('tempo', 'sounds', 'drawer'); },
  '/input': (name, state, _, recording, text) => {
    const clips = recording.split(' ').filter(Boolean);
    s.input = { name, state, recording: clips, text, at: clips.length ? s.input.at || performance.now() : 0 };
    touch('strip', 'sounds', 'drawer');
  },
  // What this page said itself, it has done already; a hand may have gone on since.
  '/focus': (number, by) => { if (unnamed || by !== s.number) { setFocus(number); touch('voices', 'matrix', 'drawer'); } },
  '/preset': (_, name, what, there) => { put('presets', name, there !== 0 && { what }); touch('drawer'); },
  '/session': () => { s.listed = false; touch('drawer'); },
  '/pair.reply': (_, ...values) => takePair(values),
  '/log': (level, client, text) => logged(level, client, text),
  '/voice': (...values) => {
    const v = { ...more.get(values[0]), at: performance.now() }, before = s.voices.get(values[0]);
    VOICE.forEach((field, i) => { v[field] = values[i]; });
    letGo(v, before, KNOBS);
    put('voices', v.voice, v);
    touch('voices');
    if (!before || ['original', 'reference', 'state'].some(k => before[k] !== v[k]) || (v.state === 'waiting' && before.fraction !== v.fraction)) touch('matrix');
    if (before && v.state !== before.state) forgetFan(v);
  },
};
/** What MORE has told, by the voice's number. */
const more = new Map();
for (const [address, fields] of Object.entries(MORE)) events[address] = (number, ...values) => {
  const told = { voice: number }, v = s.voices.get(number);
  fields.forEach((field, i) => { told[field] = values[i]; });
  if (fields.includes('by')) letGo(told, v, fields);
  delete told.by;
  more.set(number, { ...more.get(number), ...told });
  if (v) Object.assign(v, told);
  touch('voices', 'drawer', ...(address === '/live' ? ['sounds'] : []));
};
/** Another hand has moved it: that one is right. */
function letGo(now, before, knobs) {
  if (before && now.by !== s.number) for (const what of knobs) if (before[what] !== now[what]) held.delete(now.voice + what);
}
export function take(address, values) { events[address]?.(...values); }

export function logged(level, client, text) {
  s.log.push({ at: new Date(), bad: level !== 'info', client, text });
  if (s.log.length > 500) s.log.splice(0, 100);
  touch('foot', 'log');
}

export function takeMeters(rows) {
  const now = performance.now();
  for (let i = 0; i + 3 < rows.length; i += 4) {
    s.levels.set(rows[i], rows[i + 1]);
    if (rows[i] === 0) { s.limiter = rows[i + 3]; continue; }
    const v = s.voices.get(rows[i]);
    if (v?.state === 'playing') { v.position = rows[i + 2]; v.at = now; }
  }
  touch('meters');
}

// ---- What has to be asked for -----------------------------------------------------------------

/** Put another voice in focus: what is known of pairs is of the voice before it. */
export function setFocus(number) {
  if (number === s.focus) return;
  s.focus = number;
  s.row = s.voices.get(number)?.reference || s.row;
  s.pairs.clear();
  asking.length = 0;
}
function takePair([original, reference, ready, of, cost, state, why, number]) {
  if (number !== s.focus) return;
  const k = pairKey(original, reference), before = s.pairs.get(k);
  s.pairs.set(k, { ready, of, cost, state, text: why });
  touch('matrix');
  if (before?.ready !== ready) {
    for (const v of s.voices.values()) if (v.original === original && v.reference === reference) forgetFan(v);
    s.windows.delete(k);
  }
}

const asking = [];
/** Have a pair's state, for the voice in focus; from then on it is sent when it changes. A few at a time. */
export function wantPair(original, reference) {
  const k = pairKey(original, reference);
  if (contact.lost || s.pairs.has(k)) return;
  s.pairs.set(k, { ready: 0, of: 0, cost: -1, state: 'unknown', text: '' });
  asking.push([original, reference]);
  if (asking.length === 1) setTimeout(askPairs);
}
function askPairs() {
  const number = s.focus;
  for (const names of asking.splice(0, 12))
    ask('/pair', [...names, '@voice', number], (_, values) => takePair(values.slice(1)))
      .catch(e => takePair([...names, 0, 0, -1, 'never', e.text, number]));
  if (asking.length) setTimeout(askPairs, 30);
}
/** Ask anew about the pairs of a clip or reference that has changed: those that couldn't be, and,
 *  since the daemon no longer follows them, those of one that is gone. */
function doubtPairs(name, state) {
  for (const [k, pair] of s.pairs) if (k.split('\n').includes(name) && (state === 'freed' || pair.state === 'never')) s.pairs.delete(k);
}

const DOUBT_MS = 400;
let doubting = 0, all = false;
/** A fan that isn't complete may have more places in a moment: that of a voice that plays, and any
 *  when the engine has begun or done something. */
function doubtFans(any = false) {
  all ||= any;
  doubting ||= setTimeout(() => {
    for (const [number, fan] of s.fans) if (!fan.complete && (all || s.voices.get(number)?.state !== 'silent')) fan.asked = '';
    doubting = 0;
    all = false;
    touch('voices');
  }, DOUBT_MS);
}
function forgetFan(v) { const fan = s.fans.get(v.voice); if (fan) fan.asked = ''; touch('voices'); }

/** The sessions that there are: only the one in use is sent unasked. */
export function wantSessions() {
  if (s.listed) return;
  s.listed = true;
  const found = new Map();
  ask('/session/list', [], (_, [, name, what, used]) => found.set(name, { what, used }))
    .then(() => { s.sessions = found; touch('drawer'); }, () => { s.listed = false; });
}

let versions = 0;
/** A voice's fan, with `places` [{ blend, ready, key }, …], how many are `ready`, and a `version`:
 *  as it is known, and asked for again where it may differ. With a second axis it has several `rows`
 *  { y, places }, from below; `places` are those of the nearest to the hand. */
export function fanOf(v) {
  const pair = v.original && pairKey(v.original, v.reference), options = [...optionsOf(v), '@voice', v.voice], now = options.join();
  let fan = s.fans.get(v.voice);
  if (fan?.pair !== pair) s.fans.set(v.voice, fan = { pair, places: [], rows: [], complete: false, ready: 0, base: 0, version: ++versions, asked: '', busy: false });
  if (pair && fan.asked !== now && !fan.busy && !contact.lost) {
    Object.assign(fan, { asked: now, busy: true });
    const all = [];
    ask('/fan/list', [v.original, v.reference, ...options], (_, [, , , blend, ready, key, y = 0]) => { all.push({ blend, ready: !!ready, key, y }); })
      .then(() => {
        const rows = [...new Set(all.map(each => each.y))].sort((a, b) => a - b).map(y => ({ y, places: all.filter(each => each.y === y).sort((a, b) => a.blend - b.blend) }));
        Object.assign(fan, { rows, row: null, complete: all.every(each => each.ready), base: all.filter(each => !each.y && each.ready).length });
        if (!fan.complete) doubtFans();
      }, () => {})
      .finally(() => { fan.busy = false; touch('voices'); });
  }
  const y = knob(v, 'y') ?? 0, row = fan.rows.reduce((best, each) => best && Math.abs(best.y - y) <= Math.abs(each.y - y) ? best : each, null);
  if (row && fan.row !== row) Object.assign(fan, { row, places: row.places, ready: row.places.filter(each => each.ready).length, version: ++versions });
  return fan;
}
/** What a voice's fusions are made with, as options of requests. */
export const optionsOf = v => ['seed', 'recall', 'strength', 'cfg'].flatMap(each => v[each] >= 0 ? ['@' + each, v[each]] : []);

/** What is added to a request that starts something, so that it begins on a beat. */
export const onBeat = () => s.quantise ? ['@quantise', s.quantise] : [];
/** Mark a pair's pad until what this page asked for by `id` is heard, or won't be. */
export function waitsForBeat(id, pair, answer) {
  s.due.set(id, pair);
  answer.then(found => { if (!found) over(id); });
}
function over(id) { if (s.due.delete(id)) touch('matrix'); }

/** The place that is heard at a knob's position: the nearest that is ready; -1: none. */
export function heardAt(places, at) {
  let best = -1;
  places.forEach((place, k) => {
    const far = each => Math.abs(each / (places.length - 1) - at);
    if (place.ready && (best < 0 || far(k) < far(best))) best = k;
  });
  return best;
}
/** Where the knob is for a blend: its places are in equal steps, whatever their blends. */
export function knobAt(places, blend) {
  for (let k = 1; k < places.length; k++) {
    const low = places[k - 1].blend, high = places[k].blend;
    if (blend <= high) return (k - 1 + clamp((blend - low) / (high - low || 1))) / (places.length - 1);
  }
  return blend;
}

/** Curves of likeness and the balance of a pair, once there are some. */
export function windowOf(original, reference, ready) {
  const k = pairKey(original, reference);
  let known = s.windows.get(k);
  if (!known || known.ready !== ready) {
    known = { ...(known || { points: [], balance: -1 }), ready };
    s.windows.set(k, known);
    if (ready) fusionWindow(original, reference).then(
      found => { s.windows.set(k, { ...found, ready }); touch('voices'); }, () => {});
  }
  return known;
}

// A fusion's file may be written a little after it can be played: so it is asked for again.
const TRIES = 6, LEAST_KEPT = 160;
let loading = 0;
function fetchPicture(store, name, what, part, tries = 0) {
  if (contact.lost || loading > 5) return;
  const kept = { image: null };
  store.set(name, kept);
  loading++;
  picture(what, name).then(image => { kept.image = image; touch(part); }, () => {
    setTimeout(() => { if (store.get(name) === kept && tries < TRIES) { store.delete(name); fetchPicture(store, name, what, part, tries + 1); } }, 700 * (tries + 1));
  }).finally(() => { loading--; s.pictured++; touch('voices', 'matrix', 'sounds'); });
}
export function fusionPicture(key) {
  const kept = s.pictures.get(key);
  if (!kept) {
    fetchPicture(s.pictures, key, 'fusion', 'voices');
    // All that are on show are kept, or they would be fetched again and again.
    const shown = [...s.fans.values()].reduce((sum, fan) => sum + fan.places.length * Math.max(1, fan.rows.length), 0);
    if (s.pictures.size > Math.max(LEAST_KEPT, shown)) s.pictures.delete(s.pictures.keys().next().value);
  } else { s.pictures.delete(key); s.pictures.set(key, kept); }
  return kept?.image || null;
}
export function waveOf(clip) {
  const kept = s.waves.get(clip);
  if (!kept && s.clips.get(clip)?.state === 'loaded') fetchPicture(s.waves, clip, 'clip', 'matrix');
  return kept?.image || null;
}
