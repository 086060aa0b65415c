// Pictures on canvas. Three hues mean the same everywhere: reference, fusion, original.
import { clamp } from './dom.js';

export const HUE = { ref: [116, 180, 255], fuse: [143, 242, 205], orig: [247, 168, 63], ink: [239, 234, 223],
  dark: [9, 60, 46], ground: [8, 9, 10], hair: [42, 46, 51], bad: [255, 116, 102] };
const mix = (a, b, t) => a.map((v, i) => v + (b[i] - v) * t);
const rgb = c => `rgb(${c.map(Math.round)})`;
const CSS = Object.fromEntries(Object.entries(HUE).map(([name, c]) => [name, rgb(c)]));

/** Blue at 0, green at the balance, amber at 1. */
function hueAt(at, balance) {
  const b = clamp(balance, 0.05, 0.95);
  return at < b ? mix(HUE.ref, HUE.fuse, at / b) : mix(HUE.fuse, HUE.orig, (at - b) / (1 - b));
}

/** An image of one channel in one hue, kept with the image. */
function tinted(image, hue) {
  const name = hue.map(v => v >> 3).join();
  image.tints ||= new Map();
  let c = image.tints.get(name);
  if (!c) {
    c = new OffscreenCanvas(image.w, image.h);
    const x = c.getContext('2d'), pixels = x.createImageData(image.w, image.h), words = new Uint32Array(pixels.data.buffer);
    const palette = new Uint32Array(256);
    for (let v = 0; v < 256; v++) {
      const [r, g, b] = mix(HUE.ground, hue, (v / 255) ** 1.25).map(Math.round);
      palette[v] = (255 << 24 | b << 16 | g << 8 | r) >>> 0;
    }
    for (let i = 0; i < words.length; i++) words[i] = palette[image.data[i]];
    x.putImageData(pixels, 0, 0);
    if (image.tints.size > 2) image.tints.delete(image.tints.keys().next().value);
    image.tints.set(name, c);
  }
  return c;
}

/** The fan: each place that is ready a slab of its spectrogram, the one that is heard lit. */
export function paintFan(x, w, h, places, heard, balance, imageOf, quiet = 0.5, gap = 2) {
  const n = places.length, slab = w / n;
  places.forEach((place, k) => {
    const left = k * slab + gap / 2, hue = hueAt(k / (n - 1), balance), image = place.ready && imageOf(place.key);
    x.globalAlpha = 1;
    if (!place.ready) {
      x.strokeStyle = CSS.hair;
      x.strokeRect(left + 0.5, 0.5, slab - gap - 1, h - 1);
    } else if (image) {
      x.globalAlpha = k === heard ? 1 : quiet;
      x.drawImage(tinted(image, k === heard ? HUE.fuse : hue), left, 0, slab - gap, h);
    } else {
      x.globalAlpha = k === heard ? 0.35 : 0.16;
      x.fillStyle = rgb(hue);
      x.fillRect(left, 0, slab - gap, h);
    }
  });
  x.globalAlpha = 1;
}

export function paintTime(x, w, h, image, alpha) {
  if (!image) return;
  x.globalAlpha = alpha;
  x.drawImage(tinted(image, HUE.fuse), 0, 0, w, h);
  x.globalAlpha = 1;
}

/** A clip's outline: peaks, whiter where it is bright. */
export function paintWave(x, w, h, image, hue) {
  const step = 3, columns = Math.floor(w / step);
  for (let i = 0; i < columns; i++) {
    let peak = 0.02, colour = 0.3;
    if (image) {
      const from = Math.floor(i * image.w / columns), to = Math.max(Math.floor((i + 1) * image.w / columns), from + 1);
      peak = colour = 0;
      for (let k = from; k < to; k++) { peak = Math.max(peak, image.data[k]); colour += image.data[image.w + k]; }
      peak /= 255;
      colour /= 255 * (to - from);
    }
    const size = Math.max(1, peak ** 1.3 * h);
    x.fillStyle = rgb(mix(mix(HUE.ground, HUE[hue], 0.5 + 0.5 * Math.min(1, colour * 1.5)), [255, 255, 255], Math.max(0, colour - 0.66)));
    x.fillRect(i * step, (h - size) / 2, 2, size);
  }
}

/** Likeness to both over the fan: the greater of the two in bold. `points`: [at, original, reference]. */
export function paintCurves(x, w, h, points, balance) {
  const y = like => 8 + (1 - clamp(like)) * (h - 24);
  const line = (column, hue, from, to, bold) => {
    x.save();
    x.beginPath();
    x.rect(from * w, 0, (to - from) * w, h);
    x.clip();
    x.beginPath();
    points.forEach((point, i) => { if (!i) x.moveTo(0, y(point[column])); x.lineTo(point[0] * w, y(point[column])); });
    x.lineTo(w, y(points[points.length - 1][column]));
    x.strokeStyle = CSS[hue];
    x.lineWidth = bold ? 3.5 : 1.5;
    x.globalAlpha = bold ? 1 : 0.65;
    x.lineJoin = 'round';
    x.stroke();
    x.restore();
  };
  const at = balance < 0 ? (points[0][2] > points[0][1] ? 1 : 0) : balance;
  line(2, 'ref', at, 1, false);
  line(1, 'orig', 0, at, false);
  line(2, 'ref', 0, at, true);
  line(1, 'orig', at, 1, true);
  return y;
}

const LOW = -48;
const lit = (db, n) => Math.round(clamp((db - LOW) / -LOW) * n);
/** A level in segments, with its peak held, and how much the limiter takes off. */
export function paintBar(x, w, h, db, held, limiter) {
  const pitch = 8, n = Math.floor(w / pitch), on = lit(db, n), peak = lit(held, n) - 1;
  const cut = limiter > 0.05 ? Math.max(1, Math.round(limiter / 24 * n)) : 0;
  for (let i = 0; i < n; i++) {
    if (i >= n - cut) {
      x.strokeStyle = CSS.bad;
      x.lineWidth = 1.5;
      x.strokeRect(i * pitch + 0.75, 0.75, pitch - 3.5, h - 1.5);
      continue;
    }
    x.fillStyle = i < on ? CSS.fuse : i === peak ? CSS.ink : CSS.hair;
    x.fillRect(i * pitch, 0, pitch - 2, h);
  }
}
export function paintColumn(x, w, h, db) {
  const pitch = 6, n = Math.floor(h / pitch), on = lit(db, n);
  for (let i = 0; i < n; i++) {
    x.fillStyle = i < on ? CSS.fuse : CSS.hair;
    x.fillRect(0, h - (i + 1) * pitch + 2, w, pitch - 2);
  }
}
