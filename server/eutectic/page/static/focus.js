// The voice in focus: its fan as a surface to scrub, the sound over time, its knobs.
import { ask } from './link.js';
import { fanOf, fusionPicture, heardAt, hold, knob, knobAt, optionsOf, position, s, touch, voice, windowOf } from './state.js';
import { act, canLearn, fault, slider, soon, tell } from './hand.js';
import { $, attr, canvas, clamp, decibels, h, key, kind, mark, name, text, two } from './dom.js';
import { HUE, paintCurves, paintFan, paintTime } from './paint.js';
import { loadFirst } from './sounds.js';

const PLACES = 17, SEEDS = 9999;

/** Where on a surface of n slabs a knob's position is, from 0 to 1, and back. */
const across = (at, n) => (at * (n - 1) + 0.5) / n;
const along = (share, n) => (share * n - 0.5) / (n - 1);

// ---- Blend, of any voice ----------------------------------------------------------------------

export function setBlend(number, to, anchor, ends = true) {
  const v = s.voices.get(number), at = Math.round(clamp(to) * 1000) / 1000;
  if (!v) return;
  hold(number, 'blend', at, ends);
  soon(`blend ${number}`, anchor, '/scrub', number, at);
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
    set: (v, to, ends) => setBlend(v.voice, to, e, ends),
    span: width => width * (places() - 1) / places(),
    at: ruler && (share => along(share, places())),
  });
  canLearn(e, () => `/scrub ${number()} $`, () => `the blend of voice ${number()}`);
}
export function fanCanvas(className, quiet, gap) {
  const c = canvas(className, (x, w, height) => { if (c.fan) paintFan(x, w, height, c.fan.places, c.heard, c.balance, fusionPicture, quiet, gap); });
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
  attr(e, 'aria-valuetext', `${two(at)}, ${ready} ready`);
}

// ---- What a voice can be asked to do ----------------------------------------------------------

export function playOrStop(v, anchor) {
  if (!v?.original) return;
  if (v.state !== 'silent') tell(anchor, '/stop', v.voice);
  else act(anchor, '/fuse', v.voice, v.original, v.reference, '@loop', v.loop, ...(v.seed >= 0 ? ['@seed', v.seed] : []));
}
export const toggle = (v, what, anchor) => v && tell(anchor, '/voice/set', v.voice, what, v[what] ? 0 : 1);
export function newSeed(v, anchor) {
  if (v?.original) act(anchor, '/fuse', v.voice, v.original, v.reference, '@loop', v.loop, '@seed', 1 + Math.floor(Math.random() * SEEDS));
}
function morePlaces(v, anchor) {
  const values = [v.original, v.reference, PLACES, ...optionsOf(v)];
  ask('/fan', values, (address, [, k, n]) => { if (address === '/fan/ready') { making = `${k + 1} of ${n}`; touch('voices'); } })
    .catch(e => fault(anchor, e.text, '/fan')).finally(() => { making = ''; touch('voices'); });
  making = 'making';
}
let making = '';

/** name, lowest, highest, step, as text, where a double tap puts it, what -1 stands for. */
const FADERS = [
  ['gain', -60, 12, 1, decibels, 0],
  ['recall', 0, 1, 0.05, two, 1, 'own'],
  ['strength', 0, 2, 0.05, two, 1, 'own'],
  ['cfg', 0, 15, 0.5, value => value.toFixed(1), 1, 'own'],
  ['pan', -1, 1, 0.1, value => Math.abs(value) < 0.005 ? 'centre' : `${two(Math.abs(value))} ${value < 0 ? 'L' : 'R'}`, 0],
];
function fader([what, low, high, step, say, usual, unset]) {
  const value = h('span.num'), cap = h('i.cap'), e = h('div.fader.f-' + what, { 'aria-label': what }, h('span.label', {}, what), value, h('span.slot', {}, cap));
  const shown = v => unset && knob(v, what) < 0 ? usual : clamp(knob(v, what), low, high);
  slider(e, {
    low, high, of: voice, get: shown, span: width => width - 14, reset: () => usual,
    step: (v, by, fine) => shown(v) + by * step * (fine ? 0.1 : 1),
    set: (v, to, ends) => {
      // The lowest gain is silence.
      const given = what === 'gain' && to <= low ? -200 : Math.round(to * 1000) / 1000;
      hold(v.voice, what, given, ends);
      soon(`${what} ${v.voice}`, e, '/voice/set', v.voice, what, given);
    },
  });
  canLearn(e, () => `/voice/set ${s.focus} ${what} $`, () => `${what} of voice ${s.focus}`);
  e.show = v => {
    const own = unset && knob(v, what) < 0, at = shown(v);
    cap.style.transform = `translateX(${100 * (at - low) / (high - low)}%)`;
    kind(cap, own ? 'cap own' : 'cap');
    const words = own ? unset : say(what === 'gain' && at <= low ? -200 : at);
    text(value, words);
    attr(e, 'aria-valuenow', two(at));
    attr(e, 'aria-valuetext', words);
  };
  return e;
}

// ---- The view ---------------------------------------------------------------------------------

const box = $('.focus');
const number = h('div.vnum'), reference = name('b.name.ref'), prompt = name('span.sub'), blend = h('b'), under = h('span');
const original = name('b.name.orig'), length = h('span.sub'), needle = h('span.needle'), sweep = h('div.sweep');
const melt = fanCanvas('melt', 0.5, 2), hint = h('p.hint');
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
const field = h('div.field', { 'aria-label': 'blend' }, ruler, melt, curves, balance, likeR, likeO, needle, hint);
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
const faders = FADERS.map(fader);
const parts = [
  h('div.head', {}, number, h('div.end', {}, h('span.label', {}, 'reference'), reference, prompt), h('div.read', {}, blend, under),
    h('div.end.right', {}, h('span.label', {}, 'original'), original, length)),
  field, time, h('div.keys', {}, stop, loop, mute, seed, places, ...faders)];

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
  if (empty || !v) return;
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
  text(under, (Math.abs(place - is) > 0.021 ? `heard ${two(place)}` : 'blend') + (v.seed >= 0 ? ` · seed ${v.seed}` : ''));
  text(reference, v.reference || '–');
  text(prompt, s.references.get(v.reference)?.prompt || '');
  text(original, v.original || '–');
  const clip = s.clips.get(v.original);
  text(length, clip?.seconds ? `${clip.seconds.toFixed(1)} s` : '');
  text(hint, v.original ? v.state === 'waiting' ? `being made, ${Math.round(100 * v.fraction)} %` : fan.ready ? '' : 'nothing of this pair is ready: this is where it will begin' : 'press a pad: it plays here');
  hint.hidden = !hint.shown;
  const silent = v.state === 'silent';
  mark(stop.firstChild, silent ? 'play' : 'stop');
  text(stop.lastChild, silent ? 'play' : 'stop');
  stop.disabled = seed.disabled = !v.original;
  attr(loop, 'aria-pressed', !!v.loop);
  attr(mute, 'aria-pressed', !!v.mute);
  text(places.lastChild, making || `${PLACES} places`);
  places.disabled = !v.original || !!making || (n >= PLACES && fan.ready === n);
  for (const e of faders) e.show(v);
}
function drawCurves(v, fan) {
  const known = v.original ? windowOf(v.original, v.reference, fan.ready) : { points: [], balance: -1 };
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
