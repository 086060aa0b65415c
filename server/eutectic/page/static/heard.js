// What comes in: its meter, recorded and grabbed as clips, and fused as it comes.
import { contact } from './link.js';
import { isLive, onBeat, row, s, touch, voice } from './state.js';
import { act, canLearn, once, open, tell } from './hand.js';
import { attr, canvas, h, key, kind, mark, minutes, text } from './dom.js';
import { paintBar } from './paint.js';
import { nameFrom } from './sounds.js';

/** What is taken, and how, when a key is pressed. */
const take = { from: 'input', seconds: 8, threshold: '', trim: 0 };
const SECONDS = [2, 4, 8, 16];

// ---- The meter, which opens all of it ---------------------------------------------------------

export const inLevel = canvas('bar', (x, w, height) => paintBar(x, w, height, inLevel.level ?? -99, -99, 0));
const word = h('span.num'), meter = h('span.meter', {}, inLevel);
export const input = h('button.cell.c-in', { onclick: () => open('input', input) }, h('span.label', {}, 'in'), meter, word);
const listens = () => s.input.state === 'listening';

export function drawInput() {
  const is = contact.lost ? '–' : s.input.state === 'lost' ? `${s.input.name} is lost` : listens() ? '' : 'no input';
  text(word, is);
  word.hidden = !is;
  meter.hidden = !!is;
  kind(input, s.input.state === 'lost' && !contact.lost ? 'cell c-in bad' : 'cell c-in');
  attr(input, 'aria-label', `input: ${is || s.input.name}`);
}

// ---- Keys -------------------------------------------------------------------------------------

const anyName = what => nameFrom(what, s.clips), options = () => [...(take.trim ? ['@trim', 1] : []), '@from', take.from];
const why = () => take.from === 'input' && !listens() ? 'no input' : '';
/** A key with a second, smaller line. */
function twoLines(icon, title, does) { const e = key(icon, title, () => does(e)); e.append(h('small')); return e; }
export function recordKey() {
  const e = twoLines('rec', 'record', once(() => s.input.recording.length > 0, () => {
    if (s.input.recording.length) act(e, '/clip/record/stop');
    else act(e, '/clip/record', anyName('take'), ...(take.threshold === '' ? [] : ['@threshold', take.threshold]), ...options());
  }));
  canLearn(e, () => '/clip/record take', () => 'clip recording', () => open('input', e));
  e.show = () => {
    const on = s.input.recording.length > 0;
    mark(e.firstChild, on ? 'stop' : 'rec');
    text(e.children[1], on ? 'stop' : 'record');
    text(e.lastChild, on ? minutes((performance.now() - s.input.at) / 1000) : why() || (take.from === 'output' ? 'the output' : ''));
    attr(e, 'aria-pressed', on);
    e.disabled = !on && !!why();
    e.title = e.disabled ? why() : 'hold to choose the source and the level';
  };
  return e;
}
export function grabKey() {
  const e = twoLines('back', '', () => act(e, '/clip/grab', anyName('grab'), take.seconds, ...options()));
  e.classList.add('grab');
  canLearn(e, () => `/clip/grab grab ${take.seconds}`, () => 'grab', () => open('input', e));
  e.show = () => {
    text(e.children[1], `last ${take.seconds} s`);
    text(e.lastChild, why() || (take.from === 'output' ? 'the output' : ''));
    e.disabled = !!why();
    e.title = e.disabled ? why() : 'hold to choose the source and how much';
  };
  return e;
}
export function liveKey() {
  const on = () => isLive(voice());
  const e = twoLines('live', 'live', () => {
    if (on()) tell(e, '/live/stop', s.focus);
    else tell(e, '/live', s.focus, row(), ...onBeat());
  });
  canLearn(e, () => `/live ${s.focus} ${row()}`, () => `live on voice ${s.focus}`);
  e.show = () => {
    const v = voice(), is = on(), reason = !listens() ? 'no input' : row() ? '' : 'no reference';
    text(e.lastChild, is ? (v.live === 'playing' ? `${Math.round(v.lag)} ms` : v.live) + (v.dropped ? ` −${v.dropped}` : '') : reason);
    attr(e, 'aria-pressed', is);
    e.disabled = !is && !!reason;
    e.title = is ? v.liveText || liveWords(v) : reason || `voice ${s.focus} by ${row()}`;
  };
  return e;
}
/** How late a voice's fusions of the input are, and how many came too late. */
export function liveWords(v) {
  if (!isLive(v)) return '';
  return (v.live === 'playing' ? `${Math.round(v.lag)} ms late` : v.live) + (v.dropped ? ` · ${v.dropped} dropped` : '');
}

setInterval(() => { if (s.input.recording.length) touch('sounds'); }, 1000);

// ---- How it is taken --------------------------------------------------------------------------

export function inputDrawer({ field, form, submit }) {
  const changed = () => { touch('sounds', 'drawer'); };
  const one = (what, value, words) => { const e = h('button.key', { onclick: () => { take[what] = value; changed(); } }, words); e.show = () => attr(e, 'aria-pressed', take[what] === value); return e; };
  const from = [one('from', 'input', 'the input'), one('from', 'output', 'the output')], seconds = SECONDS.map(each => one('seconds', each, `${each} s`));
  const trim = [one('trim', 0, 'kept'), one('trim', 1, 'trimmed')];
  const threshold = h('input', { type: 'number', min: '-120', max: '0', step: 'any', value: String(take.threshold), placeholder: 'at once', oninput: () => { take.threshold = threshold.value === '' ? '' : Number(threshold.value); } });
  const device = h('input', { type: 'text', value: s.input.name || 'off', required: true, autocomplete: 'off', spellcheck: 'false' }), now = h('p.dim');
  const keys = [recordKey(), grabKey()];
  const group = (title, ...all) => h('div.field-of', { role: 'group', 'aria-label': title }, h('span.label', {}, title), h('div.keys-of', {}, ...all));
  return { title: 'The input', quiet: true, tools: keys, className: '.two', body: [
    group('take from', ...from), group('grab the last', ...seconds), group('silence at the ends', ...trim),
    field('start recording above, dB', threshold), form(by => act(by, '/input/set', device.value), field('device, or off', device), submit('now', 'listen')), now],
  draw() {
    for (const e of [...from, ...seconds, ...trim, ...keys]) e.show();
    text(now, s.input.text || (listens() ? `Listening to ${s.input.name}.` : 'Listening to nothing.'));
    kind(now, s.input.text ? 'bad' : 'dim');
  } };
}
