// How the voice in focus sounds: its notes, its filter and sends; and its two axes.
import { ask } from './link.js';
import { optionsOf, s, touch, voice } from './state.js';
import { canLearn, fault, open, tell } from './hand.js';
import { attr, h, key, text, two } from './dom.js';
import { ENVELOPE, FILTER, PLAYED, SENDS, fader } from './faders.js';

const group = (title, ...all) => h('div.group', { role: 'group', 'aria-label': title }, h('h3.label', {}, title), ...all);
/** Keys of which one is pressed. */
function choice(what, all, choose) {
  const keys = all.map(([value, word]) => { const e = h('button.key', { onclick: () => choose(value, e) }, word); e.value = String(value); return e; });
  return Object.assign(h('div.choice', { role: 'group', 'aria-label': what }, ...keys), { show: v => { for (const e of keys) attr(e, 'aria-pressed', e.value === String(v[what] ?? all[0][0])); } });
}

export function toneDrawer() {
  const set = what => (value, e) => tell(e, '/voice/set', s.focus, what, value);
  const kinds = choice('filter', ['off', 'low', 'high', 'band'].map(each => [each, each]), (value, e) => tell(e, '/voice/filter', s.focus, value));
  const chokes = choice('choke', [[0, 'none'], [1, '1'], [2, '2'], [3, '3'], [4, '4']], set('choke'));
  const reverse = choice('reverse', [[0, 'forwards'], [1, 'backwards']], set('reverse'));
  const root = number('original pitch at note', 'root', 0, 127, set('root'));
  const outs = [1, 2].map(which => number('to output', 'out' + which, 0, 64, (value, e) => tell(e, '/voice/send', s.focus, which, value)));
  const [envelope, played, filter, sends] = [ENVELOPE, PLAYED, FILTER, SENDS].map(all => all.map(fader));
  canLearn(kinds.children[1], () => `/voice/filter ${s.focus} low`, () => `low-pass of voice ${s.focus}`);
  const axes = key('fan', 'two axes', () => open('axes', axes)), title = h('span.dim');
  const all = [...envelope, ...played, ...filter, ...sends, kinds, chokes, reverse, root, ...outs];
  return { title: 'Sound', quiet: true, tools: [title, axes], className: '.four', body: [
    group('each note', ...envelope), group('what is played', ...played, reverse),
    h('div.group', {}, group('filter', kinds, ...filter), root), h('div.group', {}, group('sends', ...outs.map((out, i) => h('div.send', {}, out, sends[i]))), group('choke group', chokes))],
  draw() {
    const v = voice();
    if (!v) return;
    text(title, `voice ${v.voice}`);
    for (const e of all) e.show(v);
  } };
}
function number(label, what, min, max, set) {
  const input = h('input', { type: 'number', min: String(min), max: String(max), step: '1' }), e = h('label.field-of', {}, h('span.label', {}, label), input);
  input.addEventListener('change', () => { if (input.value !== '' && input.checkValidity()) set(Number(input.value), input); });
  e.show = v => { if (document.activeElement !== input) input.value = String(Math.round(v[what] ?? min)); };
  return e;
}

// ---- Two axes ---------------------------------------------------------------------------------

const PLACES = [9, 5];
const pairs = () => [...s.references.keys()].flatMap(reference => [...s.clips.keys()].map(original => [original, reference]));
const select = (label, values) => h('select', { 'aria-label': label }, ...values.map(([value, word]) => h('option', { value }, word)));

export function axesDrawer({ field }) {
  const across = select('second axis', [['recall', 'recall'], ['cfg', 'cfg'], ['eta', 'eta'], ['reference2', 'to another reference']]);
  across.addEventListener('change', () => touch('drawer'));
  const second = select('reference at the top', [...s.references.keys()].map(each => [each, each])), now = h('p.dim');
  const make = key('fan', `make ${PLACES.join(' × ')}`, async () => {
    const v = voice(), is = across.value;
    if (!v?.original) return;
    const answered = await ask('/fan', [v.original, v.reference, PLACES[0], '@across', is, '@m', PLACES[1], ...(is === 'reference2' ? ['@reference2', second.value] : []),
      ...optionsOf(v).filter((_, i, all) => all[i - i % 2] !== '@' + is)]).catch(e => fault(make, e.text, '/fan'));
    if (answered) touch('voices', 'drawer');
  });
  const said = pairs().map(([original, reference]) => [`${original}:${reference}`, `${original} by ${reference}`]);
  const at = said.findIndex(([value]) => value === `${voice()?.original}:${voice()?.reference}`), four = ['x 0, y 0', 'x 1, y 0', 'x 0, y 1', 'x 1, y 1'].map((each, i) => {
    const e = select(each, said);
    e.selectedIndex = said.length ? (Math.max(0, at) + i) % said.length : -1;
    return e;
  });
  const turn = fader(['y', 0, 1, 0.1, two, 0.5]);
  const play = key('play', 'play all four', () => tell(play, '/pad/xy', s.focus, ...four.map(each => each.value), '@loop', 1));
  return { title: 'Two axes', className: '.two', body: [
    group('a second axis for what this voice plays', turn, field('vertical axis', across), field('reference at the top', second), h('div.keys-of', {}, make), now),
    group('four corners', h('div.corners', {}, four[2], four[3], four[0], four[1]), h('div.keys-of', {}, play))],
  draw() {
    const v = voice();
    turn.hidden = !v?.across;
    if (v) turn.show(v);
    second.parentElement.hidden = across.value !== 'reference2';
    play.disabled = !said.length;
    make.disabled = !v?.original;
    text(now, axisWords(v) || 'One axis so far: the blend.');
  } };
}
/** What a voice's second axis is; empty if it has none. */
export function axisWords(v) {
  if (!v?.across) return '';
  return v.across === 'pad' ? 'four corners' : `${v.across}${v.across === 'reference2' ? '' : ` ${v.low.toFixed(1)} to ${v.high.toFixed(1)}`} · ${v.placed} of ${v.places} ready`;
}
