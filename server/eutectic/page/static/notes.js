// Notes: a strip of an octave and a half under fingers, or the computer's keys; each ends where it began.
import { contact, send } from './link.js';
import { s, touch, voice } from './state.js';
import { canLearn, tell } from './hand.js';
import { attr, h, key, kind, text } from './dom.js';

const LOW = 12, HIGH = 108, COUNT = 18, USUAL = 100, TAP_S = 0.4;
const NAMES = ['C', 'C♯', 'D', 'D♯', 'E', 'F', 'F♯', 'G', 'G♯', 'A', 'A♯', 'B'];
/** Where a piano's keys are on a computer's. */
const CODES = ['KeyA', 'KeyW', 'KeyS', 'KeyE', 'KeyD', 'KeyF', 'KeyT', 'KeyG', 'KeyY', 'KeyH', 'KeyU', 'KeyJ', 'KeyK', 'KeyO', 'KeyL', 'KeyP', 'Semicolon', 'Quote'];
const SHARP = /♯/, LETTERS = 'AWSEDFTGYHUJKOLP;’';
let low = 48;
export const notes = { on: false };

// ---- What sounds ------------------------------------------------------------------------------

/** By who holds it, a pointer or a key: the voice and note that it began. */
const sounding = new Map();
/** Ends that couldn't be said: they are as soon as there is contact. */
let owed = [];
function begin(by, note, velocity, anchor) {
  end(by);
  sounding.set(by, { number: s.focus, note, anchor });
  tell(anchor, '/note', s.focus, note, velocity);
  light(note);
}
function end(by) {
  const was = sounding.get(by);
  if (!was) return;
  sounding.delete(by);
  light(was.note);
  // Another hand's finger may be on the same note.
  if ([...sounding.values()].some(each => each.number === was.number && each.note === was.note)) return;
  if (!send('/note', was.number, was.note, 0)) owed.push(was);
}
export function endAll() { for (const by of [...sounding.keys()]) end(by); }
/** There is contact again. */
export function settle() {
  const all = owed;
  owed = [];
  for (const { number, note } of all) if (!send('/note', number, note, 0)) owed.push({ number, note });
}
addEventListener('blur', endAll);
addEventListener('pagehide', endAll);
document.addEventListener('visibilitychange', () => { if (document.hidden) endAll(); });

// ---- The strip --------------------------------------------------------------------------------

const box = h('div.strip18', { role: 'group', 'aria-label': 'notes' }), pads = Array.from({ length: COUNT }, (_, i) => {
  const e = h('button.note', {}, h('span'), h('span.letter', { 'aria-hidden': 'true' }, LETTERS[i]));
  e.addEventListener('click', c => { if (!c.detail) tell(e, '/note', s.focus, low + i, USUAL, '@gate', TAP_S); });
  canLearn(e, () => `/note ${s.focus} ${low + i} $`, () => `${nameOf(low + i)} of voice ${s.focus}`, () => {}); // a long note is none
  return e;
});
const nameOf = note => NAMES[note % 12] + (Math.floor(note / 12) - 1);
const light = note => kind(pads[note - low] || h('i'), classOf(note));
const root = () => Math.round(voice()?.root ?? 60);
const classOf = note => `note${note === root() ? ' root' : ''}${SHARP.test(NAMES[note % 12]) ? ' sharp' : ''}${[...sounding.values()].some(each => each.note === note) ? ' on' : ''}`;
/** The note under a finger, and how hard: lower on its pad is louder. */
function under(p) {
  const e = document.elementFromPoint(p.clientX, p.clientY)?.closest('.note'), at = pads.indexOf(e);
  if (at < 0) return null;
  const rect = e.getBoundingClientRect(), deep = (p.clientY - rect.top) / rect.height;
  return { note: low + at, velocity: Math.round(48 + 79 * Math.min(1, Math.max(0, deep))), e };
}
box.addEventListener('pointerdown', p => {
  const hit = !p.button && under(p);
  if (!hit) return;
  hit.e.releasePointerCapture?.(p.pointerId);
  box.setPointerCapture(p.pointerId);
  begin(p.pointerId, hit.note, hit.velocity, hit.e);
});
box.addEventListener('pointermove', p => {
  const was = sounding.get(p.pointerId), hit = was && under(p);
  if (hit && hit.note !== was.note) begin(p.pointerId, hit.note, hit.velocity, hit.e);
});
for (const over of ['pointerup', 'pointercancel', 'lostpointercapture']) addEventListener(over, p => end(p.pointerId));

function shift(by) {
  endAll();
  low = Math.min(HIGH, Math.max(LOW, low + 12 * by));
  touch('voices');
}
const down = h('button.key.octave', { 'aria-label': 'an octave down', onclick: () => shift(-1) }, '‹'), up = h('button.key.octave', { 'aria-label': 'an octave up', onclick: () => shift(1) }, '›');
box.append(...pads);
export const strip = h('div.notes-box', {}, down, box, up);
export const notesKey = key('note', 'notes', () => toggleNotes());
export function toggleNotes() {
  notes.on = !notes.on;
  endAll();
  touch('voices');
}
export function drawNotes() {
  attr(notesKey, 'aria-pressed', notes.on);
  document.body.classList.toggle('noted', notes.on);
  if (!notes.on && s.view !== 'keys') return;
  pads.forEach((e, i) => {
    const note = low + i, name = nameOf(note);
    text(e.firstChild, note % 12 ? NAMES[note % 12] : name);
    kind(e, classOf(note));
    attr(e, 'aria-label', note === root() ? `${name}, as made` : name);
    e.disabled = contact.lost;
  });
  down.disabled = low <= LOW;
  up.disabled = low >= HIGH;
}

// ---- The computer's keys, while notes are on --------------------------------------------------

/** Whether a key was for the notes. */
export function noteKey(e) {
  if (!notes.on) return false;
  if (e.key === ',' || e.key === '.') { if (!e.repeat) shift(e.key === ',' ? -1 : 1); return true; }
  const at = CODES.indexOf(e.code);
  if (at < 0 || e.shiftKey) return false;
  if (!e.repeat) begin(e.code, low + at, USUAL, pads[at]);
  return true;
}
// While its own key is held, a Mac doesn't tell which of the others leave.
addEventListener('keyup', e => { if (e.key === 'Meta') endAll(); else end(e.code); });
