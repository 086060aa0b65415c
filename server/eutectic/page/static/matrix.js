// Pads: originals by references. A cell says what pressing it does.
import { lastId } from './link.js';
import { isEngineOff, knob, onBeat, pairKey, s, touch, voice, waitsForBeat, wantPair, waveOf } from './state.js';
import { act, canLearn, pressed } from './hand.js';
import { $, attr, canvas, h, listed, mark, name, sign, text, two } from './dom.js';
import { paintWave } from './paint.js';
import { fanCanvas, scrubbed, showBlend, showFan } from './focus.js';
import { referenceState, soundKey, sources } from './sounds.js';

export const LETTERS = 'QWERASDF';
const COLUMNS = 8, ROWS = 4;
export const phone = matchMedia('(max-width: 900px), (max-height: 560px)');
phone.addEventListener('change', () => touch('matrix', 'voices', 'sounds'));

const matches = each => each.toLowerCase().includes(s.filter.toLowerCase());
const originals = () => [...s.clips.keys()];
/** As they are shown: those that the filter leaves, of either kind. */
function shown() {
  const clips = originals(), references = [...s.references.keys()];
  if (!s.filter) return [clips, references];
  const some = clips.filter(matches), others = references.filter(matches);
  return [some.length ? some : others.length ? clips : [], others.length ? others : some.length ? references : []];
}
export function rowInFocus() {
  const [, references] = shown();
  return references.includes(s.row) ? s.row : references.includes(voice()?.reference) ? voice().reference : references[0];
}
export const eight = () => shown()[0].slice(phone.matches ? COLUMNS * s.page : 0).slice(0, COLUMNS);

// ---- One pad ----------------------------------------------------------------------------------

let sounding = new Map(), due = new Set();
function listen() {
  sounding = new Map();
  due = new Set(s.due.values());
  for (const v of s.voices.values()) {
    if (v.state === 'silent' || !v.original) continue;
    const k = pairKey(v.original, v.reference), is = sounding.get(k) || { on: [], fraction: 0 };
    if (v.state === 'playing') is.on.push(v.voice); else is.fraction = v.fraction || 0.01;
    sounding.set(k, is);
  }
}
/** What a pad shows: { is, word, fraction, pair }. */
function stateOf(original, reference) {
  const k = pairKey(original, reference), sounds = sounding.get(k), pair = s.pairs.get(k);
  if (sounds?.on.length) return { is: 'playing', word: `voice ${sounds.on.join(', ')}`, pair };
  if (sounds) return { is: 'working', word: `${Math.round(100 * sounds.fraction)} %`, fraction: sounds.fraction, pair };
  if (!pair || pair.state === 'unknown') return { is: 'cost', word: '', pair };
  if (pair.state === 'now') return { is: 'now', word: 'now', pair };
  if (pair.state === 'never') return { is: 'off', word: pair.text, pair };
  if (isEngineOff()) return { is: 'off', word: 'waits', pair };
  const percent = /(\d+) %/.exec(pair.text);
  if (pair.state === 'working') return { is: 'working', word: percent?.[0] || pair.text.replace(/^.*: /, ''), fraction: percent ? percent[1] / 100 : undefined, pair };
  return { is: 'cost', word: pair.cost > 0 ? `${(pair.cost / 1000).toFixed(1)} s` : pair.text ? 'waits' : 'soon', pair };
}
const LAMPS = { playing: 'play', now: 'now', cost: 'cost', working: 'arc', off: 'off' };

export function press(original, reference, anchor) {
  s.row = reference;
  const answer = act(anchor, '/fuse', s.focus, original, reference, ...onBeat());
  if (s.quantise) waitsForBeat(lastId(), pairKey(original, reference), answer);
  touch('matrix');
}
const inSight = new IntersectionObserver(all => { for (const each of all) each.target.inSight = each.isIntersecting; touch('matrix'); });
function pad(original, referenceNow, big) {
  const lamp = sign('cost'), word = h('span.word'), fan = h('i.fan'), letter = h('span.letter', { 'aria-hidden': 'true' });
  const e = h(big ? 'button.pad.cost.big' : 'button.pad.cost');
  let wave = null;
  e.is = 'cost';
  if (big) {
    wave = canvas('wave', (x, w, height) => paintWave(x, w, height, waveOf(original), e.is === 'playing' ? 'dark' : 'orig'));
    const title = name('b');
    text(title, original);
    e.append(h('span.w', {}, wave), title, h('span.l', {}, lamp, word), fan);
  } else e.append(lamp, word, fan, letter);
  pressed(e, () => press(original, referenceNow(), e));
  canLearn(e, () => `/fuse ${s.focus} ${original} ${referenceNow()}`, () => `${original} by ${referenceNow()}`);
  inSight.observe(e);
  e.show = at => {
    const reference = referenceNow();
    if (e.inSight) wantPair(original, reference);
    const { is, word: says, fraction, pair } = stateOf(original, reference), ready = pair?.ready || 0, of = pair?.of || 0;
    mark(lamp, LAMPS[is], fraction);
    text(word, says);
    const waits = due.has(pairKey(original, reference));
    e.classList.toggle('due', waits);
    attr(e, 'aria-label', `${original} by ${reference}: ${says}${waits ? ', waits for its beat' : ''}`);
    e.title = is === 'off' ? says : '';
    if (fan.sum !== ready * 100 + of) {
      fan.sum = ready * 100 + of;
      fan.hidden = !of;
      fan.style.setProperty('--of', of);
      fan.style.setProperty('--ready', ready);
    }
    text(letter, LETTERS[at] || '');
    letter.hidden = !LETTERS[at];
    if (e.is === is && e.pictured === s.pictured) return;
    e.classList.replace(e.is, is);
    Object.assign(e, { is, pictured: s.pictured });
    wave?.repaint();
  };
  return e;
}

// ---- A table, where there is room -------------------------------------------------------------

const filter = h('input.filter', { type: 'search', placeholder: 'filter', 'aria-label': 'show only sounds with this in their name', autocomplete: 'off',
  oninput: () => { s.filter = filter.value; s.page = 0; touch('matrix'); } });
const LEGEND = [['play', 'playing'], ['now', 'plays now'], ['cost', 'after this time'], ['arc', 'working'], ['off', 'can’t, and why']];
const legend = h('div.legend', {}, ...LEGEND.map(([icon, word]) => h('span', {}, sign(icon), word)));

const corner = h('td.corner', {}, legend, filter), headRow = h('tr'), body = h('tbody');
const table = h('table.grid', {}, h('thead', {}, headRow), body), scroll = h('div.scroll', { tabindex: '0', role: 'region', 'aria-label': 'pads by original and reference' }, table);
// In a row '' stands for what is before the clips. What the filter hides is kept, and not made again.
let columns = [], inFocus = '';
const cell = (scope, of) => scope ? h('th', { scope }, of) : h('td', {}, of);
const ofClips = clip => s.clips.has(clip);
const headings = listed(headRow, clip => clip ? cell('col', soundKey('clip', clip, 'button.head-clip')) : corner, (th, clip) => clip && th.firstChild.show(), ofClips);
const rows = listed(body, reference => {
  const e = h('tr');
  e.show = listed(e, clip => clip ? cell('', pad(clip, () => reference, false)) : cell('row', soundKey('reference', reference, 'button.head-reference')),
    (td, _, i) => td.firstChild.show(reference === inFocus ? i - 1 : -1), ofClips);
  return e;
}, (e, reference) => {
  e.show(columns);
  e.classList.toggle('in', reference === inFocus);
}, reference => s.references.has(reference));
function drawTable() {
  const [clips, references] = shown(), large = s.clips.size > COLUMNS || s.references.size > ROWS;
  filter.hidden = !large;
  legend.hidden = large;
  columns = ['', ...clips];
  inFocus = rowInFocus();
  headings(columns);
  rows(references);
  table.style.minWidth = `${236 + 118 * clips.length}px`;
  table.style.width = `min(100%, ${236 + 200 * clips.length}px)`;
  table.style.height = `min(100%, ${72 + 84 * references.length}px)`;
}

// ---- Eight at a time, on a phone --------------------------------------------------------------

const chips = h('div.refs', { role: 'group', 'aria-label': 'reference' }), needle = h('span.needle'), fan = fanCanvas('melt', 0.55, 1), figure = h('b.fuse');
const mini = h('div.mini', { 'aria-label': 'blend of the voice in focus' }, fan, needle, figure), big = h('div.eight');
const turn = by => { s.page += by; touch('matrix'); };
const back = h('button.key', { onclick: () => turn(-1), 'aria-label': 'pads before these' }, '‹'), on = h('button.key', { onclick: () => turn(1), 'aria-label': 'pads after these' }, '›');
const which = h('span.label'), pager = h('div.pager', {}, back, which, on);
scrubbed(mini, () => s.focus);
const chipList = listed(chips, reference => {
  const title = name('b.ref'), lamp = sign('now'), word = h('span');
  const e = h('button.chip', { onclick: () => { s.row = reference; touch('matrix'); } }, title, h('span.state', {}, lamp, word));
  text(title, reference);
  return Object.assign(e, { lamp, word });
}, (e, reference) => {
  const is = referenceState(reference);
  attr(e, 'aria-pressed', reference === rowInFocus());
  mark(e.lamp, is.lamp || 'now', is.fraction);
  text(e.word, is.word);
});
const bigList = listed(big, original => pad(original, rowInFocus, true), (e, original) => e.show(original));
function drawEight() {
  const [clips, references] = shown(), pages = Math.ceil(clips.length / COLUMNS) || 1, v = voice();
  s.page = Math.min(Math.max(0, s.page), pages - 1);
  chipList(references);
  bigList(eight());
  filter.hidden = pager.hidden = originals().length <= COLUMNS;
  text(which, `${COLUMNS * s.page + 1}–${Math.min(clips.length, COLUMNS * (s.page + 1))} of ${clips.length}`);
  back.disabled = !s.page;
  on.disabled = s.page === pages - 1;
  mini.hidden = !v?.original;
  if (!v?.original) return;
  showFan(fan, v);
  showBlend(mini, v, needle);
  text(figure, two(knob(v, 'blend')));
}

const box = $('.matrix'), add = h('div.add');
const bare = h('div.bare', {}, h('p.ref', { 'data-drop': 'reference' }, h('b', {}, 'References'), 'any loaded sound can be one: it plays at once, learning makes it better'),
  h('p.orig', {}, h('b', {}, 'Originals'), 'drop sound files here, or load them'));
let layout = '';
export function drawMatrix() {
  listen();
  const now = phone.matches ? 'phone' : s.clips.size || s.references.size ? 'table' : 'bare';
  if (now !== layout) {
    layout = now;
    pager.insertBefore(filter, back);
    if (now === 'phone') box.replaceChildren(chips, mini, big, pager);
    else {
      corner.append(filter);
      if (!add.firstChild) add.append(...sources());
      box.replaceChildren(now === 'table' ? scroll : bare, add);
    }
  }
  if (now === 'phone') drawEight();
  else if (now === 'table') drawTable();
}
