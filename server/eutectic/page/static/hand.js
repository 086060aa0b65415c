// What a hand does: drags, holds, presses; and what is told it where it is.
import { ask, contact, lastId, send } from './link.js';
import { clamp, h } from './dom.js';

const HOLD_MS = 600, STILL_PX = 6, DOUBLE_MS = 300, TAG_MS = 6000, SAID_MS = 2000, RULER_PX = 44;
const CANCELLED = 'cancelled', ENDS = ['pointerup', 'pointercancel'];

let opens = () => {};
/** `shows(what, anchor, …)` shows a drawer; `open` asks for it. */
export function onOpen(shows) { opens = shows; }
export const open = (...what) => opens(...what);

// ---- Words at the finger ----------------------------------------------------------------------

let onFault = () => {};
export function onFaults(handler) { onFault = handler; }

/** A word at an element that something has been done. */
export const said = (anchor, text) => { if (anchor?.isConnected) tag(anchor, text, 'learned', SAID_MS); };

const tags = new Map();
/** A word at an element, instead of the one that was there; returns how it is taken away. */
function tag(anchor, text, className, ms) {
  tags.get(anchor)?.();
  const e = h(`div.tag.${className}`, { 'aria-hidden': 'true', dir: 'auto' }, text);
  document.body.append(e);
  const at = anchor.getBoundingClientRect(), own = e.getBoundingClientRect();
  const left = clamp(at.left, 8, Math.max(8, innerWidth - own.width - 8));
  // Never over the foot, where panic is.
  const below = at.bottom + own.height + 8 < document.querySelector('.foot').getBoundingClientRect().top;
  e.style.left = `${left}px`;
  e.style.top = `${clamp(below ? at.bottom + 6 : at.top - own.height - 6, 8, innerHeight - own.height - 8)}px`;
  anchor.classList.add(className);
  const end = () => {
    if (tags.get(anchor) !== end) return;
    tags.delete(anchor);
    e.remove();
    anchor.classList.remove(className);
  };
  tags.set(anchor, end);
  if (ms) setTimeout(end, ms);
  return end;
}
/** A failure where the finger was, in the daemon's words; in the foot, too. */
export function fault(anchor, text, what = '') {
  onFault(text, what);
  tag(anchor?.isConnected && anchor.getClientRects().length ? anchor : document.querySelector('.foot'), text, 'fault', TAG_MS);
}

/** Send a request; a failure is shown at `anchor`, and the promise gives undefined. What a hand has
 *  called off, as by something newer, has not failed. */
export function act(anchor, address, ...values) {
  const words = values.filter(each => !String(each).includes('/')).slice(0, 3); // a path would fill the line
  return ask(address, values).catch(e => { if (e.code !== CANCELLED) fault(anchor, e.text, [address, ...words].join(' ')); });
}
const fingers = new Map();
/** Send what has no id: if it fails, that is shown where it was sent from last. False without contact. */
export function tell(anchor, address, ...values) {
  fingers.set(address, anchor);
  const sent = send(address, ...values);
  if (!sent) fault(anchor, 'no contact', address);
  return sent;
}
export function failed(address, code, text) { if (code !== CANCELLED) fault(fingers.get(address), text, address); }

const soonest = new Map();
/** Send at the next frame; of many with one name only the newest, and without contact none. */
export function soon(name, anchor, ...message) {
  if (!soonest.size) requestAnimationFrame(flush);
  soonest.set(name, [anchor, ...message]);
}
function flush() {
  const all = [...soonest.values()];
  soonest.clear();
  if (!contact.lost) for (const message of all) tell(...message);
}

// ---- MIDI learn -------------------------------------------------------------------------------

let learning = null;
/** When the contact began in which there was no controller, by `contact.since`. */
let noMidi = 0;
/** What a pointer holds: { e, target, label, pointer, x, y }, and when that is long enough. */
let holding = null, timer = 0;
const learnable = new WeakMap();
/** Holding an element binds the next MIDI control to `target()`, an OSC message with $ for its value;
 *  or `opens` what it can be told, and then its key and M alone bind it. */
export function canLearn(e, target, label, opens) {
  const own = { e, target, label };
  let swallow = false;
  learnable.set(e, own);
  e.addEventListener('pointerdown', p => {
    if (p.button) return;
    swallow = false;
    holding = Object.assign(own, { pointer: p.pointerId, x: p.clientX, y: p.clientY });
    clearTimeout(timer);
    // A finger that only rests isn't told each time that there is no controller.
    if (opens || noMidi !== contact.since) timer = setTimeout(() => { swallow = true; if (opens) opens(); else learn(own); }, HOLD_MS);
  });
  e.addEventListener('click', p => { if (swallow && p.detail) p.stopImmediatePropagation(); swallow = false; }, true);
}
// A finger may move and leave anywhere, whatever it came down on.
addEventListener('pointermove', p => {
  if (p.pointerId !== holding?.pointer || Math.hypot(p.clientX - holding.x, p.clientY - holding.y) <= STILL_PX) return;
  clearTimeout(timer);
  if (learning?.own === holding) endLearning(); // a drag that began with a rest
});
for (const end of ENDS) addEventListener(end, p => {
  if (p.pointerId !== holding?.pointer) return;
  clearTimeout(timer);
  holding = null;
});
/** Learn for what is held, or has the keyboard's focus; false if that is nothing. */
export function learnHeld(focused) {
  const own = holding || learnable.get(focused);
  if (own) learn(own);
  return !!own;
}
function learn(own) {
  endLearning();
  const end = tag(own.e, `turn a knob for ${own.label()}`, 'learning', 0), request = ask('/midi/learn', [own.target()]);
  const mine = learning = { own, end, id: lastId() };
  const over = (show, code) => { end(); noMidi = code === 'no_midi' ? contact.since : 0; if (learning === mine) { learning = null; show(); } };
  request.then(
    ([control]) => over(() => tag(own.e, `${control} moves ${own.label()}`, 'learned', TAG_MS)),
    e => over(() => fault(own.e, e.text, '/midi/learn'), e.code));
}
export function endLearning() {
  if (!learning) return false;
  const { end, id } = learning;
  learning = null;
  end();
  ask('/cancel', [id]).catch(() => {}); // it may be over already
  return true;
}

const AGAIN_MS = 500;
/** What `fire` does, once: pressed again before the daemon has said that it is done, it does nothing.
 *  `is()` tells whether it is done. */
export function once(is, fire) {
  let was, at = -1e9;
  return (...args) => {
    const now = performance.now(), same = is() === was;
    if (same && now - at < AGAIN_MS) return;
    [was, at] = [is(), now];
    fire(...args);
  };
}

// ---- Controls ---------------------------------------------------------------------------------

/** A slider that is dragged from wherever it is touched: a thumb hides nothing.
 *  o: of(), the voice that it moves, the same from touch to release; get(voice), set(voice, value, ends),
 *  low, high, step(voice, direction, fine), reset(voice), span(width) px from low to high;
 *  at(share), if a tap on the ruler along its top jumps; rise(voice), where it is from 0 to 1 in its height,
 *  undefined while it has no second dimension. What set() is given last is that. */
export function slider(e, o) {
  let from = null, tapped = -1e9;
  e.setAttribute('role', 'slider');
  e.tabIndex = 0;
  e.setAttribute('aria-valuemin', o.low);
  e.setAttribute('aria-valuemax', o.high);
  const put = (of, value, ends, rise) => o.set(of, clamp(value, o.low, o.high), ends, rise);
  e.addEventListener('pointerdown', p => {
    const of = o.of();
    if (p.button || from || !of) return;
    e.setPointerCapture(p.pointerId);
    e.focus({ preventScroll: true, focusVisible: false });
    const box = e.getBoundingClientRect(), jump = o.at && p.clientY - box.top < RULER_PX;
    from = { of, id: p.pointerId, x: p.clientX, y: p.clientY, far: 0, value: o.get(of), moved: false, scale: (o.high - o.low) / o.span(box.width),
      rise: jump ? undefined : o.rise?.(of), tall: Math.max(1, box.height - RULER_PX) };
    const to = jump ? o.at((p.clientX - box.left) / box.width) : p.timeStamp - tapped < DOUBLE_MS ? o.reset(of) : undefined;
    if (to !== undefined) { from.value = clamp(to, o.low, o.high); from.moved = true; put(of, from.value, false, from.rise); }
    tapped = jump ? -1e9 : p.timeStamp;
    for (const end of ENDS) addEventListener(end, leave);
  });
  e.addEventListener('pointermove', p => {
    if (p.pointerId !== from?.id) return;
    const by = p.clientX - from.x, up = from.rise === undefined ? 0 : from.y - p.clientY, fine = p.shiftKey ? 0.1 : 1;
    [from.x, from.y] = [p.clientX, p.clientY];
    from.far += Math.abs(by) + Math.abs(up);
    if (from.far > STILL_PX) tapped = -1e9;
    from.value = clamp(from.value + by * from.scale * fine, o.low, o.high);
    if (up) from.rise = clamp(from.rise + up / from.tall * fine);
    if (by || up) { from.moved = true; put(from.of, from.value, false, from.rise); }
  });
  // Wherever that is: what is dragged may have been put away under the finger.
  function leave(p) {
    if (p.pointerId !== from?.id) return;
    for (const end of ENDS) removeEventListener(end, leave);
    if (from.moved) { put(from.of, from.value, true, from.rise); flush(); } // the last one always
    from = null;
  }
  e.addEventListener('keydown', k => {
    const of = o.of(), whole = (o.high - o.low) / 10, by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[k.key];
    if (!of) return;
    const rise = o.rise?.(of), up = { ArrowDown: -1, ArrowUp: 1 }[k.key];
    if (up && rise !== undefined) { k.preventDefault(); k.stopPropagation(); put(of, o.get(of), true, clamp(rise + up * (k.shiftKey ? 0.01 : 0.1))); return; }
    const to = by ? o.step(of, by, k.shiftKey) : { Home: o.low, End: o.high, PageUp: o.get(of) + whole, PageDown: o.get(of) - whole }[k.key];
    if (to === undefined || k.ctrlKey || k.metaKey || k.altKey) return;
    k.preventDefault();
    k.stopPropagation();
    put(of, to, true);
  });
}

/** A pad acts when it is touched, not when it is let go; and for the keyboard's and a reader's click. */
export function pressed(e, fire) {
  e.addEventListener('pointerdown', p => { if (!p.button) { e.releasePointerCapture?.(p.pointerId); fire(); } });
  e.addEventListener('click', c => { if (!c.detail) fire(); });
}

/** A tap that begins and ends on the key without travelling: a swipe across it does nothing. */
export function guarded(e, fire) {
  let from = null;
  e.addEventListener('pointerdown', p => { from = p.button ? null : [p.clientX, p.clientY]; e.setPointerCapture(p.pointerId); });
  e.addEventListener('pointerup', p => { if (from && Math.hypot(p.clientX - from[0], p.clientY - from[1]) < 12) fire(); from = null; });
  e.addEventListener('pointercancel', () => { from = null; });
  e.addEventListener('click', c => { if (!c.detail) fire(); });
}
