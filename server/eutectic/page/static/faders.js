// Knobs of the voice in focus, as faders.
import { hold, knob, s, voice } from './state.js';
import { canLearn, slider, soon } from './hand.js';
import { attr, clamp, decibels, h, kind, text, two } from './dom.js';

/** Curves between a fader's travel, 0 to 1, and its value: equal steps to the ear. */
const curve = (low, high) => ({ at: value => Math.log(clamp(value, low, high) / low) / Math.log(high / low), value: at => low * (high / low) ** at });
const long = { at: value => clamp(value / 10000) ** (1 / 3), value: at => 10000 * at ** 3 };
const milliseconds = value => value >= 1000 ? `${(value / 1000).toFixed(1)} s` : `${Math.round(value)} ms`;
const hertz = value => value >= 1000 ? `${(value / 1000).toFixed(1)} kHz` : `${Math.round(value)} Hz`;

/** name, lowest, highest, step, as text, where a double tap puts it, what -1 stands for, its curve. */
export const FADERS = [
  ['gain', -60, 12, 1, decibels, 0],
  ['recall', 0, 1, 0.05, two, 1, 'own'],
  ['strength', 0, 2, 0.05, two, 1, 'own'],
  ['cfg', 0, 15, 0.5, value => value.toFixed(1), 1, 'own'],
  ['pan', -1, 1, 0.1, value => Math.abs(value) < 0.005 ? 'centre' : `${two(Math.abs(value))} ${value < 0 ? 'L' : 'R'}`, 0],
];
const timed = (what, usual) => [what, 0, 1, 0.05, milliseconds, long.at(usual), '', long];
export const ENVELOPE = [timed('attack', 2), timed('decay', 0), ['sustain', 0, 1, 0.05, two, 1], timed('release', 60)];
export const PLAYED = [
  ['rate', 0, 1, 1 / 72, value => `× ${two(value)}`, 0.5, '', curve(0.125, 8)],
  ['start', 0, 1, 0.05, two, 0],
  ['end', 0, 1, 0.05, two, 1],
];
export const FILTER = [
  ['cutoff', 0, 1, 0.05, hertz, 1, '', curve(20, 20000)],
  ['resonance', 0, 1, 0.05, two, 0],
];
export const SENDS = [1, 2].map(which => ['send' + which, -60, 12, 1, decibels, 0]);

const SILENT = -200;
const isGain = what => what === 'gain' || what.startsWith('send');
export function fader([what, low, high, step, say, usual, unset, bend = { at: x => x, value: x => x }]) {
  const value = h('span.num'), cap = h('i.cap'), e = h('div.fader.f-' + what, { 'aria-label': what }, h('span.label', {}, what.replace(/\d/, ' $&')), value, h('span.slot', {}, cap));
  const shown = v => knob(v, what) === undefined || unset && knob(v, what) < 0 ? usual : clamp(bend.at(knob(v, what)), low, high);
  slider(e, {
    low, high, of: voice, get: shown, span: width => width - 14, reset: () => usual,
    step: (v, by, fine) => shown(v) + by * step * (fine ? 0.1 : 1),
    set: (v, to, ends) => {
      // The lowest gain is silence.
      const given = isGain(what) && to <= low ? SILENT : Math.round(bend.value(to) * 1000) / 1000;
      hold(v.voice, what, given, ends);
      soon(`${what} ${v.voice}`, e, '/voice/set', v.voice, what, given);
    },
  });
  canLearn(e, () => `/voice/set ${s.focus} ${what} $`, () => `${what} of voice ${s.focus}`);
  e.show = v => {
    const own = unset && knob(v, what) < 0, at = shown(v);
    cap.style.transform = `translateX(${100 * (at - low) / (high - low)}%)`;
    kind(cap, own ? 'cap own' : 'cap');
    const words = own ? unset : say(isGain(what) && at <= low ? SILENT : bend.value(at));
    text(value, words);
    attr(e, 'aria-valuenow', two(at));
    attr(e, 'aria-valuetext', words);
  };
  return e;
}
