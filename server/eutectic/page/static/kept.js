// Nothing good is lost: back and forth, and favourites.
import { onBeat, s, voice } from './state.js';
import { act, canLearn, said, tell } from './hand.js';
import { attr, h, key, listed, name, sign, text } from './dom.js';
import { nameFrom } from './sounds.js';

export const undo = step('undo', 'undo'), redo = step('redo', 'redo');
function step(icon, what) {
  const e = key(icon, what, () => go(what, e));
  e.append(h('small'));
  canLearn(e, () => `/${what} ${s.focus}`, () => `${what} of voice ${s.focus}`);
  return e;
}
export const go = (what, anchor) => tell(anchor, `/${what}`, s.focus);
export const keepKey = key('keep', 'keep', () => keep());
canLearn(keepKey, () => '/favourite/keep favourite', () => 'keep');
export function keep() {
  const v = voice(), called = nameFrom(v?.original ? `${v.original}-${v.reference}` : 'favourite', s.favourites);
  act(keepKey, '/favourite/keep', called, s.focus).then(kept => { if (kept) said(keepKey, `kept as ${kept[0] || called}`); });
}
export function drawKept(v) {
  for (const [e, what] of [[undo, 'undo'], [redo, 'redo']]) {
    const steps = v[what] || 0;
    text(e.lastChild, String(steps));
    attr(e, 'aria-label', `${what}, ${steps} steps`);
    e.disabled = !steps;
  }
  keepKey.disabled = !v.original;
}

/** A list of favourites, and how it is drawn. */
export function favouriteList() {
  const box = h('ul.rows.favourites', { 'aria-label': 'favourites' });
  const show = listed(box, each => {
    const title = name('b'), what = name('span.dim');
    const play = h('button.pick', { onclick: () => act(play, '/favourite/play', each, s.focus, ...onBeat()) }, title, what);
    const free = h('button.key', { 'aria-label': `remove ${each}`, onclick: () => act(free, '/favourite/free', each) }, sign('off'));
    text(title, each);
    canLearn(play, () => `/favourite/play ${each}`, () => each);
    return Object.assign(h('li', {}, play, free), { what, play });
  }, (li, each) => {
    const { original, reference, blend, seconds, state } = s.favourites.get(each), bad = state !== 'kept';
    text(li.what, bad ? state : `${original} by ${reference} · ${blend.toFixed(2)} · ${seconds.toFixed(1)} s`);
    li.classList.toggle('bad', bad);
  });
  return [box, () => show([...s.favourites.keys()].sort())];
}
export function favouritesDrawer() {
  const [list, show] = favouriteList(), none = h('p.dim', {}, 'Nothing is kept yet: K keeps what the voice in focus plays.');
  return { title: 'Favourites', body: [list, none], draw() { show(); none.hidden = s.favourites.size > 0; } };
}
