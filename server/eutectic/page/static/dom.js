// Elements by hand: built once, then changed only where something differs.

export const $ = (selector, root = document) => root.querySelector(selector);

/** An element, `h('button.key', { onclick, 'aria-label': … }, …children)`. */
export function h(spec, props = {}, ...children) {
  const [tag, ...classes] = spec.split('.'), e = document.createElement(tag);
  if (classes.length) e.className = classes.join(' ');
  if (tag === 'button') e.type = 'button';
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith('on')) e.addEventListener(name.slice(2), value);
    else if (name in e && typeof value !== 'string') e[name] = value;
    else e.setAttribute(name, value);
  }
  e.append(...children);
  return e;
}

const SVG = 'http://www.w3.org/2000/svg';
/** A sign of the page's own set; `mark` changes it. */
export function sign(name) {
  const e = document.createElementNS(SVG, 'svg');
  e.append(document.createElementNS(SVG, 'use'));
  e.setAttribute('aria-hidden', 'true');
  mark(e, name);
  return e;
}
/** Show another sign; `fraction` fills an arc. */
export function mark(e, name, fraction = 0.25) {
  if (e.sign !== name) {
    e.sign = name;
    e.setAttribute('class', `sign s-${name}`);
    e.firstChild.setAttribute('href', `#s-${name}`);
  }
  if (name === 'arc') e.style.setProperty('--f', Math.round(fraction * 100));
}
export function text(e, value) {
  if (e.shown !== value) e.textContent = e.shown = value;
}
export function attr(e, name, value) {
  value = String(value);
  if (e.getAttribute(name) !== value) e.setAttribute(name, value);
}
export function kind(e, className) {
  if (e.className !== className) e.className = className;
}
/** A key: a sign above or beside a word. */
export function key(icon, word, onclick, props = {}) {
  return h('button.key', { onclick, ...props }, sign(icon), h('span', {}, word));
}
/** A name that anybody may have chosen: in its own direction, cut where there is no room. */
export const name = spec => h(spec + '.cut', { dir: 'auto' });

const resized = new ResizeObserver(all => {
  for (const { target, contentRect: { width, height } } of all) {
    const ratio = devicePixelRatio || 1;
    Object.assign(target, { w: width, h: height, ratio });
    target.width = Math.round(width * ratio);
    target.height = Math.round(height * ratio);
    target.repaint();
  }
});
// A browser's zoom changes the ratio alone: sizes are looked at again.
(function watchRatio() {
  matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener('change', () => {
    for (const e of document.querySelectorAll('canvas')) { resized.unobserve(e); resized.observe(e); }
    watchRatio();
  }, { once: true });
})();
/** A canvas that `draw(context, width, height)` fills, in CSS pixels; it is told its size, so that
 *  drawing never has to ask the layout for it. */
export function canvas(className, draw) {
  const e = h('canvas.' + className, { 'aria-hidden': 'true' }), x = e.getContext('2d');
  e.repaint = () => {
    if (!e.w || !e.h) return;
    x.setTransform(e.ratio, 0, 0, e.ratio, 0, 0);
    x.clearRect(0, 0, e.w, e.h);
    draw(x, e.w, e.h);
  };
  resized.observe(e);
  return e;
}

export const clamp = (value, low = 0, high = 1) => Math.min(high, Math.max(low, value));
export const two = value => value.toFixed(2);
export const decibels = db => db <= -90 ? '−∞' : (db > 0 ? '+' : db < 0 ? '−' : '') + Math.abs(db).toFixed(1);
export const minutes = s => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, '0')}`;
export const clock = (date = new Date()) => date.toTimeString().slice(0, 8);

/** Keeps a list of elements in step with keys, each made once: `update(element, key, index)`.
 *  Of keys that are no longer listed, those that are `kept(key)` aren't made again when they are. */
export function listed(box, make, update, kept = () => false) {
  const made = new Map();
  return keys => {
    const wanted = new Set(keys);
    for (const [k, e] of made) if (!wanted.has(k)) { e.remove(); if (!kept(k)) made.delete(k); }
    let before = null;
    keys.forEach((k, i) => {
      let e = made.get(k);
      if (!e) made.set(k, e = make(k));
      const next = before ? before.nextSibling : box.firstChild;
      if (e !== next) box.insertBefore(e, next);
      before = e;
      update(e, k, i);
    });
  };
}
