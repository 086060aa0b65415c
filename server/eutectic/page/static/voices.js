// All voices, small: rows beside the voice in focus, tabs on a phone.
import { contact, send } from './link.js';
import { knob, originalOf, s, setFocus, touch } from './state.js';
import { canLearn } from './hand.js';
import { $, attr, canvas, h, key, kind, listed, mark, name, text, two } from './dom.js';
import { paintBar, paintColumn } from './paint.js';
import { inLevel } from './heard.js';
import { fanCanvas, playOrStop, scrubbed, showBlend, showFan } from './focus.js';

export function focusOn(number) {
  if (!s.voices.has(number) || number === s.focus) return;
  setFocus(number);
  send('/focus', number);
  touch('voices', 'matrix', 'sounds', 'drawer');
}
const meters = new Set();
function meter(number) {
  const e = canvas('vmeter', (x, w, height) => paintColumn(x, w, height, e.level ?? -99));
  e.number = number;
  meters.add(e);
  return e;
}

function makeRow(number) {
  const focus = h('button.vnum', { onclick: () => focusOn(number), 'aria-label': `voice ${number}` }, String(number));
  const reference = name('span.ref'), blend = h('span.fuse'), original = name('span.orig'), needle = h('span.needle');
  const fan = fanCanvas('melt', 0.55, 1), mini = h('div.mini', { 'aria-label': `blend of voice ${number}` }, fan, needle);
  const stop = key('play', '', () => playOrStop(s.voices.get(number), stop));
  scrubbed(mini, () => number);
  canLearn(stop, () => `/stop ${number}`, () => `stop of voice ${number}`);
  const e = h('div.row', {}, focus, h('div.names', {}, reference, blend, original), mini, meter(number), stop);
  e.show = v => {
    const on = v.state !== 'silent';
    kind(e, number === s.focus ? 'row in' : 'row');
    kind(focus, on ? 'vnum on' : 'vnum');
    attr(focus, 'aria-pressed', number === s.focus);
    text(reference, v.reference || 'empty');
    reference.classList.toggle('dim', !v.reference);
    text(original, originalOf(v));
    text(blend, !originalOf(v) ? '' : on ? two(knob(v, 'blend')) : 'stopped');
    kind(blend, on ? 'fuse' : 'dim');
    mini.hidden = !v.original;
    if (v.original) { showFan(fan, v); showBlend(mini, v, needle); }
    mark(stop.firstChild, on ? 'stop' : 'play');
    attr(stop, 'aria-label', `${on ? 'stop' : 'play'} voice ${number}`);
    stop.disabled = !on && !v.original;
  };
  return e;
}
function makeTab(number) {
  const word = h('b', {}, String(number)), track = h('i'), e = h('button.tab', { onclick: () => focusOn(number), 'aria-label': `voice ${number}` },
    word, h('span.track', {}, track), meter(number));
  e.show = v => {
    attr(e, 'aria-pressed', number === s.focus);
    kind(word, v.state === 'silent' ? 'dim' : 'fuse');
    track.hidden = !v.original;
    track.style.transform = `translateX(${100 * knob(v, 'blend')}%)`;
  };
  return e;
}
const show = (e, number) => e.show(s.voices.get(number));
const rows = listed($('.voices'), makeRow, show), tabs = listed($('.tabs'), makeTab, show);

export function drawVoices() {
  const numbers = [...s.voices.keys()].sort((a, b) => a - b);
  document.body.classList.toggle('many', numbers.length > 5);
  rows(numbers);
  tabs(numbers);
  for (const e of meters) if (!s.voices.has(e.number)) meters.delete(e);
}

// ---- Levels -----------------------------------------------------------------------------------

/** The input's number among levels. */
const INPUT = -1, FALL_DB = 0.7, still = matchMedia('(prefers-reduced-motion: reduce)');
let peak = -99, stepped = 0;
const outBox = $('.c-out'), outWord = $('.num', outBox), cutWord = $('.lim', outBox);
const out = canvas('bar', (x, w, height) => paintBar(x, w, height, out.level ?? -99, peak, s.limiter));
$('.meter', outBox).append(out);

/** Only what is lit differently is painted. */
export function drawLevels(now) {
  const level = s.levels.get(0) ?? -99, lost = contact.lost;
  if (still.matches && !lost && now - stepped < 250) return;
  peak = lost ? -99 : Math.max(level, peak - FALL_DB);
  for (const e of meters) {
    const is = Math.round(s.levels.get(e.number) ?? -99);
    if (e.level !== is) { e.level = is; e.repaint(); }
  }
  const heard = lost ? -99 : Math.round(s.levels.get(INPUT) ?? -99);
  if (inLevel.level !== heard) { inLevel.level = heard; inLevel.repaint(); }
  const sum = Math.round(2 * level) + 1000 * Math.round(peak) + 1e6 * Math.round(2 * s.limiter);
  if (out.sum !== sum) { out.sum = sum; out.level = level; out.repaint(); }
  if (!lost && now - stepped < 100) return; // figures that change faster can't be read
  stepped = now;
  text(outWord, lost ? '–' : level <= -90 ? '−∞' : level.toFixed(1).replace('-', '−'));
  text(cutWord, lost ? '–' : s.limiter > 0.05 ? `−${s.limiter.toFixed(1)}` : '0');
  attr(outBox, 'aria-valuenow', Math.round(Math.max(-99, level)));
}
