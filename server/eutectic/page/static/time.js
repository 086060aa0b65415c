// Musical time: the beat, a tap, run and hold, the clock that is followed, and what waits for a beat.
import { contact } from './link.js';
import { s, touch } from './state.js';
import { act, canLearn, open, pressed, tell } from './hand.js';
import { $, attr, h, key, kind, mark, sign, text } from './dom.js';

const still = matchMedia('(prefers-reduced-motion: reduce)');
const bpm = h('b'), lamp = h('i.lamp'), phase = h('i.phase'), follows = h('span.label');
const beat = h('button.beat', { 'aria-label': 'tempo', onclick: () => open('tempo', beat) }, lamp, bpm, follows, phase);
const tap = h('button.key', {}, sign('tap'), h('span', {}, 'tap')), run = key('play', 'run', () => tell(run, '/tempo/run', s.tempo.running ? 0 : 1));
export const tempo = h('div.cell.c-tempo', { role: 'group', 'aria-label': 'tempo' }, beat, tap, run);
pressed(tap, () => tell(tap, '/tempo/tap'));
canLearn(tap, () => '/tempo/tap', () => 'tap');
canLearn(run, () => '/tempo/run $', () => 'run and hold');
canLearn(beat, () => '/tempo $', () => 'the tempo');

// A second of these is a beat: a browser keeps them going by itself, and is only told how fast.
const beats = (e, ...frames) => e.animate(frames, { duration: 1000, iterations: Infinity });
const small = $('.c-queue .lamp'), blink = [{ opacity: 1 }, { opacity: 1, offset: 0.12 }, { opacity: 0.15, offset: 0.4 }, { opacity: 0.15 }];
const steps = [beats(lamp, ...blink), beats(small, ...blink), beats(phase, { transform: 'scaleX(0)' }, { transform: 'scaleX(1)' })];
function follow() {
  const { bpm: fast, beat: is, running, at } = s.tempo, moves = running && fast > 0 && !contact.lost && !still.matches;
  const there = (is + (running ? (performance.now() - at) / 60000 * fast : 0)) % 1 * 1000;
  for (const each of steps) {
    if (moves) { each.playbackRate = fast / 60; each.play(); } else each.pause();
    each.currentTime = still.matches ? 0 : (there + 1000) % 1000;
  }
}
export function drawTempo() {
  const { bpm: fast, running, clock, state } = s.tempo, lost = contact.lost, own = !clock || clock === 'internal';
  text(bpm, lost ? '–' : fast.toFixed(1));
  text(follows, state ? 'no clock' : own ? '' : clock.split(' ')[0]);
  kind(tempo, `cell c-tempo${state && !lost ? ' bad' : ''}${running && !lost ? ' on' : ''}`);
  attr(beat, 'aria-label', `tempo ${bpm.shown}, ${running ? 'running' : 'held'}${own ? '' : `, follows ${clock}`}`);
  beat.title = state;
  tap.disabled = run.disabled = lost;
  small.hidden = lost || !running;
  mark(run.firstChild, running ? 'hold' : 'play');
  text(run.lastChild, running ? 'hold' : 'run');
  attr(run, 'aria-pressed', !!running);
  follow();
}
still.addEventListener('change', () => touch('tempo'));
addEventListener('visibilitychange', () => touch('tempo'));

export function tempoDrawer({ field, form, submit }) {
  const fast = h('input', { type: 'number', min: '20', max: '400', step: 'any', required: true, value: s.tempo.bpm.toFixed(1) });
  const source = h('select', {}, ...['internal', 'midi', 'link'].map(each => h('option', { value: each, selected: s.tempo.clock.startsWith(each) }, each)));
  const now = h('p.dim');
  return { title: 'Tempo', className: '.two', body: [
    form(by => tell(by, '/tempo', Number(fast.value)), field('beats per minute', fast), submit('now', 'set')),
    form(by => act(by, '/tempo/clock', source.value), field('follows', source), submit('now', 'follow')), now],
  draw() { text(now, s.tempo.state || `${s.tempo.running ? 'Running' : 'Held'}, on ${/^(internal)?$/.test(s.tempo.clock) ? 'its own clock' : s.tempo.clock}.`); kind(now, s.tempo.state ? 'bad' : 'dim'); } };
}

// ---- What waits for a beat --------------------------------------------------------------------

const GRIDS = [[0, 'at once'], [0.25, 'next ¼'], [1, 'next beat'], [4, 'next 4']];
/** A key that goes through them: what pads start waits for it. */
export function quantiseKey() {
  const e = key('grid', '', () => {
    const at = GRIDS.findIndex(([beats]) => beats === s.quantise);
    [s.quantise] = GRIDS[(at + 1) % GRIDS.length];
    touch('sounds');
  });
  e.append(h('small'));
  e.show = () => {
    const [, word] = GRIDS.find(([beats]) => beats === s.quantise), waits = s.quantise && !s.tempo.running;
    text(e.children[1], word);
    text(e.lastChild, waits ? 'time is held' : '');
    attr(e, 'aria-label', `pads start ${word}${waits ? ': time is held' : ''}`);
    attr(e, 'aria-pressed', !!s.quantise);
  };
  return e;
}
