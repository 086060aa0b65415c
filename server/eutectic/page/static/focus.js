// The voice in focus: its fan as a surface to scrub, the sound over time, its knobs.
import { ask } from './link.js';
import { fanOf, fusionPicture, heardAt, hold, knob, knobAt, optionsOf, originalOf, position, s, touch, voice, windowOf } from './state.js';
import { act, canLearn, fault, open, slider, soon, tell } from './hand.js';
import { $, attr, canvas, clamp, h, key, kind, mark, name, text, two } from './dom.js';
import { HUE, paintCurves, paintFan, paintTime } from './paint.js';
import { FADERS, fader } from './faders.js';
import { drawKept, keepKey, redo, undo } from './kept.js';
import { drawNotes, notesKey, strip } from './notes.js';
import { liveWords } from './heard.js';
import { loadFirst } from './sounds.js';
import { axisWords } from './tone.js';
import { phone } from './matrix.js';

const PLACES = 17, SEEDS = 9999, SWITCH_MS = 1000;

/** Where on a surface of n slabs a knob's position is, from 0 to 1, and back. */
const across = (at, n) => (at * (n - 1) + 0.5) / n;
const along = (share, n) => (share * n - 0.5) / (n - 1);

// ---- Blend, of any voice ----------------------------------------------------------------------

const thousandth = value => Math.round(clamp(value) * 1000) / 1000;
/** `y` is where it goes along the second axis, if it has one. */
export function setBlend(number, to, anchor, ends = true, y = undefined) {
  const v = s.voices.get(number), at = thousandth(to), up = y === undefined ? [] : [thousandth(y)];
  if (!v) return;
  hold(number, 'blend', at, ends);
  if (up.length) hold(number, 'y', up[0], ends);
  soon(`blend ${number}`, anchor, '/scrub', number, at, ...up);
}
export function stepBlend(v, by, fine) {
  const n = fanOf(v).places.length || 5, at = knob(v, 'blend');
  return fine ? at + by * 0.01 : Math.round(at * (n - 1) + by) / (n - 1);
}
/** The knob's position of a pair's balance; undefined while that isn't known. */
export function balanceOf(v) {
  const known = s.windows.get(`${v.original}\n${v.reference}`);
  return known?.balance >= 0 ? knobAt(fanOf(v).places, known.balance) : undefined;
}
/** A surface that scrubs a voice: `number()` is which. */
export function scrubbed(e, number, ruler) {
  const of = () => s.voices.get(number()), places = () => (of() && fanOf(of()).places.length) || 5;
  slider(e, {
    low: 0, high: 1, of, step: stepBlend, reset: balanceOf,
    get: v => knob(v, 'blend'),
    set: (v, to, ends, y) => setBlend(v.voice, to, e, ends, y),
    rise: v => ruler && v.across ? knob(v, 'y') : undefined,
    span: width => width * (places() - 1) / places(),
    at: ruler && (share => along(share, places())),
  });
  canLearn(e, () => `/scrub ${number()} $`, () => `the blend of voice ${number()}`);
}
/** `deep`: all rows of a fan with a second axis, one above the other. */
export function fanCanvas(className, quiet, gap, deep = false) {
  const c = canvas(className, (x, w, height) => {
    if (!c.fan) return;
    const rows = deep && c.fan.rows.length > 1 ? c.fan.rows : [c.fan], tall = height / rows.length;
    for (const row of [...rows].reverse()) {
      paintFan(x, w, tall - (rows.length > 1 ? gap : 0), row.places, row.places === c.fan.places ? c.heard : -1, c.balance, fusionPicture, quiet, gap);
      x.translate(0, tall);
    }
  });
  return c;
}
/** Draw a voice's fan, if anything of it has changed; returns the place that is heard. */
export function showFan(c, v) {
  const fan = fanOf(v), near = heardAt(fan.places, knob(v, 'blend')), heard = v.state === 'playing' ? near : -1, balance = balanceOf(v) ?? 0.5;
  c.near = near;
  if (c.fan !== fan || c.version !== fan.version || c.pictured !== s.pictured || c.heard !== heard || c.balance !== balance) {
    Object.assign(c, { fan, version: fan.version, pictured: s.pictured, heard, balance });
    c.repaint();
  }
  return heard;
}
export function showBlend(e, v, needle) {
  const { places, ready } = fanOf(v), at = knob(v, 'blend');
  needle.style.transform = `translateX(${100 * across(at, places.length || 5)}%)`;
  attr(e, 'aria-valuenow', two(at));
  attr(e, 'aria-valuetext', `${two(at)}, ${v.across ? `${two(knob(v, 'y'))} up, ` : ''}${ready} ready`);
}

// ---- What a voice can be asked to do ----------------------------------------------------------

export function playOrStop(v, anchor) {
  if (!v) return;
  if (v.state !== 'silent') tell(anchor, '/stop', v.voice);
  else if (v.original) act(anchor, '/fuse', v.voice, v.original, v.reference, '@loop', knob(v, 'loop'), ...(v.seed >= 0 ? ['@seed', v.seed] : []));
}
/** Pressed again before the daemon has told of it, a switch goes back. */
export function toggle(v, what, anchor) {
  if (!v) return;
  const to = knob(v, what) ? 0 : 1;
  if (tell(anchor, '/voice/set', v.voice, what, to)) hold(v.voice, what, to, true, SWITCH_MS);
}
export function newSeed(v, anchor) {
  if (v?.original) act(anchor, '/fuse', v.voice, v.original, v.reference, '@loop', knob(v, 'loop'), '@seed', 1 + Math.floor(Math.random() * SEEDS));
}
function morePlaces(v, anchor) {
  const values = [v.original, v.reference, PLACES, ...optionsOf(v)];
  ask('/fan', values, (address, [, k, n]) => { if (address === '/fan/ready') { making = `${k + 1} of ${n}`; touch('voices'); } })
    .catch(e => fault(anchor, e.text, '/fan')).finally(() => { making = ''; touch('voices'); });
  making = 'making';
}
let making = '';

// ---- The view ---------------------------------------------------------------------------------

const box = $('.focus');
const number = h('div.vnum'), reference = name('b.name.ref'), prompt = name('span.sub'), blend = h('b'), under = h('span');
const original = name('b.name.orig'), length = h('span.sub'), needle = h('span.needle'), sweep = h('div.sweep');
const melt = fanCanvas('melt', 0.5, 2, true), hint = h('p.hint');
const ruler = canvas('ruler', (x, w) => {
  const places = melt.fan?.places || [], n = places.length || 5, style = getComputedStyle(box);
  x.font = `13px ${style.getPropertyValue('--plate-face')}`;
  x.textAlign = 'center';
  x.fillStyle = '#aeaca4';
  for (const at of [0, 0.25, 0.5, 0.75, 1]) x.fillText(String(at).replace('0.', '.'), across(at, n) * w, 14);
  for (let k = 0; k < n; k++) {
    const ready = places[k]?.ready, wide = k === melt.heard ? 11 : 3, high = ready ? 20 : 4;
    x.fillStyle = ready ? '#8ff2cd' : '#aeaca4';
    x.fillRect((k + 0.5) / n * w - wide / 2, 38 - high, wide, high);
  }
});
const balance = h('span.bal', {}, h('i'), h('span')), likeR = name('span.axis.ref'), likeO = name('span.axis.orig');
let points = [], balanced = -1;
const curves = canvas('curves', (x, w, height) => {
  for (const e of [balance, likeR, likeO]) e.hidden = points.length < 2;
  if (points.length < 2) return;
  const y = paintCurves(x, w, height, points, balanced), last = points[points.length - 1];
  likeR.style.top = `${45 + y(points[0][2]) + 8}px`;
  likeO.style.top = `${45 + y(last[1]) + 8}px`;
  balance.hidden = balanced < 0;
  if (balanced < 0) return;
  const right = points.find(point => point[0] >= balanced) || last, left = points[Math.max(0, points.indexOf(right) - 1)];
  const t = right === left ? 0 : (balanced - left[0]) / (right[0] - left[0]);
  kind(balance, balanced > 0.7 ? 'bal flip' : 'bal');
  balance.style.left = `${100 * balanced}%`;
  balance.style.top = `${45 + y(left[1] + (right[1] - left[1]) * t)}px`;
});
const levelWord = h('i'), level = h('span.level', {}, levelWord), axis = h('span.axis.across'), ends = ['s00', 's10', 's01', 's11'].map(each => name('span.axis.' + each));
const field = h('div.field', { 'aria-label': 'blend' }, ruler, melt, curves, balance, likeR, likeO, axis, ...ends, level, needle, hint);
scrubbed(field, () => s.focus, true);

const nearImage = () => melt.near >= 0 ? fusionPicture(melt.fan.places[melt.near].key) : null;
const past = canvas('now', (x, w, height) => paintTime(x, w, height, nearImage(), 1));
const whole = canvas('whole', (x, w, height) => paintTime(x, w, height, nearImage(), 0.55)), at = h('span.clock');
sweep.append(past);
const time = h('div.time', { role: 'img', 'aria-label': 'the sound over time' }, whole, sweep, h('span.label', {}, 'over time'), at);

const stop = key('play', 'play', () => playOrStop(voice(), stop));
const loop = key('loop', 'loop', () => toggle(voice(), 'loop', loop)), mute = key('mute', 'mute', () => toggle(voice(), 'mute', mute));
const seed = key('again', 'new seed', () => newSeed(voice(), seed)), places = key('fan', `${PLACES} places`, () => morePlaces(voice(), places));
for (const [e, what] of [[loop, 'loop'], [mute, 'mute']]) canLearn(e, () => `/voice/set ${s.focus} ${what} $`, () => `${what} of voice ${s.focus}`);
canLearn(stop, () => `/stop ${s.focus}`, () => `stop of voice ${s.focus}`);
const tone = key('tone', 'sound', () => open('tone', tone)), faders = FADERS.map(fader);
const head = h('div.head', {}, number, h('div.end', {}, h('span.label', {}, 'reference'), reference, prompt), undo, h('div.read', {}, blend, under), redo,
  h('div.end.right', {}, h('span.label', {}, 'original'), original, length));
const below = h('div.keys', {}, stop, loop, mute, seed, keepKey, places, tone, notesKey, ...faders);
const parts = [head, field, time, below];
/** What a phone has elsewhere: back and forth under the thumb, the notes in a view of their own. */
function arrange() {
  if (phone.matches) { keepKey.after(undo, redo); $('.played').append(strip); }
  else { head.insertBefore(undo, head.children[2]); $('.read', head).after(redo); below.before(strip); }
}
phone.addEventListener('change', arrange);

const first = key('play', 'play first_night: glass and drone', () => loadFirst(first));
const hello = h('div.hello', {},
  h('p.end', {}, h('b.name.ref', {}, 'a reference'), h('span.sub', {}, 'gives its character')), h('p.end.right', {}, h('b.name.orig', {}, 'an original'), h('span.sub', {}, 'keeps its course in time')),
  canvas('diagram', (x, w, height) => {
    x.lineWidth = 3.5;
    for (const [hue, from, to] of [['ref', 0, w / 2], ['orig', w, w / 2]]) {
      x.strokeStyle = `rgb(${HUE[hue]})`;
      x.beginPath();
      x.moveTo(from, 2);
      x.lineTo(to, height - 4);
      x.stroke();
    }
  }),
  h('div.melted', {}, h('b.name.fuse', {}, 'a third sound'), h('span.sub', {}, 'load two sounds, or'), first));

export function drawFocus() {
  const v = voice(), empty = !s.clips.size && !s.references.size && !v?.original;
  document.body.classList.toggle('empty', empty);
  if (empty !== (box.firstChild === hello)) box.replaceChildren(...(empty ? [hello] : parts));
  else if (!box.firstChild) box.replaceChildren(...parts);
  if (!strip.parentElement) arrange();
  if (!v) return;
  drawNotes();
  drawKept(v);
  if (empty) return;
  const fan = fanOf(v), heard = showFan(melt, v), n = fan.places.length || 5, is = knob(v, 'blend');
  if (ruler.of !== fan.version || ruler.heard !== heard || ruler.voice !== v.voice) { Object.assign(ruler, { of: fan.version, heard, voice: v.voice }); ruler.repaint(); }
  if (whole.near !== melt.near || whole.voice !== v.voice || whole.of !== fan.version || whole.pictured !== s.pictured) {
    Object.assign(whole, { near: melt.near, voice: v.voice, of: fan.version, pictured: s.pictured });
    whole.repaint();
    past.repaint();
  }
  drawCurves(v, fan);
  text(number, v.voice);
  kind(number, v.state === 'playing' ? 'vnum on' : 'vnum');
  attr(field, 'aria-label', `blend of voice ${v.voice}`);
  showBlend(field, v, needle);
  text(blend, two(is));
  const place = heard < 0 ? is : heard / (n - 1);
  const live = liveWords(v);
  text(under, live ? `live · ${live}` : (v.across !== 'pad' && Math.abs(place - is) > 0.021 ? `heard ${two(place)}` : 'blend') + (v.seed >= 0 ? ` · seed ${v.seed}` : ''));
  kind(under, v.liveText && live ? 'bad' : '');
  drawAxis(v);
  text(reference, v.reference || '–');
  text(prompt, s.references.get(v.reference)?.prompt || '');
  text(original, originalOf(v) || '–');
  const clip = s.clips.get(v.original);
  text(length, clip?.seconds ? `${clip.seconds.toFixed(1)} s` : '');
  text(hint, live ? '' : v.original ? v.state === 'waiting' ? `being made, ${Math.round(100 * v.fraction)} %` : fan.ready ? '' : 'nothing of this pair is ready: this is where it will begin' : 'press a pad: it plays here');
  hint.hidden = !hint.shown;
  const silent = v.state === 'silent';
  mark(stop.firstChild, silent ? 'play' : 'stop');
  text(stop.lastChild, silent ? 'play' : 'stop');
  stop.disabled = silent && !v.original;
  seed.disabled = !v.original;
  attr(loop, 'aria-pressed', !!knob(v, 'loop'));
  attr(mute, 'aria-pressed', !!knob(v, 'mute'));
  text(places.lastChild, making || `${PLACES} places`);
  places.disabled = !v.original || !!making || (n >= PLACES && fan.ready === n);
  for (const e of faders) e.show(v);
}
function drawAxis(v) {
  const pad = v.across === 'pad', corners = (v.corners || '').split(' ');
  field.classList.toggle('flat', !!v.across);
  field.classList.toggle('pad4', pad);
  level.hidden = !v.across;
  axis.hidden = !v.across || pad;
  balance.lastChild.hidden = !axis.hidden; // they would meet at the field's foot
  text(axis, axisWords(v));
  ends.forEach((e, i) => { e.hidden = !pad; text(e, (corners[i] || '').split(':').slice(0, 2).join(' by ')); });
  if (!v.across) return;
  const y = knob(v, 'y');
  level.style.transform = `translateY(${-100 * y}%)`;
  text(levelWord, pad ? two(y) : `${v.across} ${two(v.across === 'reference2' ? y : v.low + y * (v.high - v.low))}`);
  kind(level, y > 0.8 ? 'level under' : y < 0.2 ? 'level low' : 'level');
}
function drawCurves(v, fan) {
  const known = v.original ? windowOf(v.original, v.reference, fan.base) : { points: [], balance: -1 };
  if (curves.known === known && curves.of === fan.version) return;
  Object.assign(curves, { known, of: fan.version });
  const n = fan.places.length || 5, there = each => across(knobAt(fan.places, each), n);
  points = known.points.map(([each, like, likeRef]) => [there(each), like, likeRef]);
  balanced = known.balance < 0 ? -1 : there(known.balance);
  text(likeR, `like ${v.reference}`);
  text(likeO, `like ${v.original}`);
  if (balanced >= 0) text(balance.lastChild, `balance ${two(known.balance)}`);
  curves.repaint();
}

/** Every frame while something plays: only what the compositor moves, and a clock. */
export function moveFocus(now) {
  const v = voice(), there = v?.seconds ? position(v, now) : 0, part = v?.seconds ? there / v.seconds : 0;
  sweep.style.transform = `translateX(${100 * part - 100}%)`;
  past.style.transform = `translateX(${100 - 100 * part}%)`;
  text(at, v?.seconds ? `${there.toFixed(1)} / ${v.seconds.toFixed(1)} s` : '');
}
