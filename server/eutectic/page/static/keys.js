// The keyboard; never while somebody types.
import { send } from './link.js';
import { go, keep } from './kept.js';
import { noteKey, notes, toggleNotes } from './notes.js';
import { s, touch, voice } from './state.js';
import { endLearning, learnHeld } from './hand.js';
import { $ } from './dom.js';
import { balanceOf, newSeed, playOrStop, setBlend, stepBlend, toggle } from './focus.js';
import { focusOn } from './voices.js';
import { LETTERS, eight, press, rowInFocus } from './matrix.js';
import { closeDrawer } from './drawers.js';

const TWICE_MS = 600;
const typing = e => e.matches?.('input, textarea, select, [contenteditable]');
let escaped = -1e9;

export function panic() { send('/panic'); }

function moveRow(by) {
  const all = [...s.references.keys()], at = all.indexOf(rowInFocus());
  if (at < 0) return;
  s.row = all[(at + by + all.length) % all.length];
  touch('matrix');
}

addEventListener('keydown', e => {
  const v = voice(), field = $('.field');
  if (e.key === 'Escape' && !e.repeat) {
    // Closing something isn't the first half of a panic.
    if (endLearning() || closeDrawer()) return;
    if (typing(e.target)) return;
    if (e.timeStamp - escaped < TWICE_MS) panic();
    escaped = e.timeStamp;
    return;
  }
  if (typing(e.target) || e.ctrlKey || e.metaKey || e.altKey || !v) return;
  if (e.code === 'Space' && e.target.closest('button')) return;
  if (noteKey(e)) { e.preventDefault(); return; }
  const digit = /^(?:Digit|Numpad)([1-8])$/.exec(e.code), pad = LETTERS.indexOf(e.code.replace('Key', ''));
  const does = {
    ArrowLeft: () => setBlend(v.voice, stepBlend(v, -1, e.shiftKey), field),
    ArrowRight: () => setBlend(v.voice, stepBlend(v, 1, e.shiftKey), field),
    ArrowUp: () => moveRow(-1), ArrowDown: () => moveRow(1),
  }[e.code] || (!e.repeat && (digit ? () => focusOn(+digit[1]) : e.code.startsWith('Key') && pad >= 0 && !notes.on ? () => {
    const original = eight()[pad], reference = rowInFocus();
    if (original && reference) press(original, reference, $('tr.in')?.children[pad + 1]?.firstChild || field);
  } : {
    b: () => { const at = balanceOf(v); if (at !== undefined) setBlend(v.voice, at, field); },
    ' ': () => playOrStop(v, field),
    l: () => toggle(v, 'loop', field),
    m: () => { if (!learnHeld(e.shiftKey ? document.activeElement : null)) toggle(v, 'mute', field); },
    n: () => newSeed(v, field),
    k: keep,
    z: () => go(e.shiftKey ? 'redo' : 'undo', field),
    i: toggleNotes,
    '/': () => $('.filter')?.focus(),
  }[e.key.toLowerCase()]));
  if (!does) return;
  e.preventDefault();
  does();
});
