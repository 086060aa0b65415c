// Sounds: loaded, recorded, made references; and the list of them on a phone.
import { s, touch, waveOf } from './state.js';
import { grabKey, liveKey, recordKey } from './heard.js';
import { favouriteList } from './kept.js';
import { quantiseKey } from './time.js';
import { act, fault, open } from './hand.js';
import { $, canvas, h, key, kind, listed, mark, name, sign, text } from './dom.js';
import { paintWave } from './paint.js';

// ---- What is said of them ---------------------------------------------------------------------

const percent = fraction => `${Math.round(100 * fraction)} %`;
export function clipState(clip) {
  const { state, seconds, fraction } = s.clips.get(clip) || { state: 'missing' };
  if (state === 'loading') return { lamp: 'arc', fraction, word: percent(fraction) };
  if (state !== 'loaded') return { lamp: 'bad', word: state, bad: true };
  return { word: seconds ? `${seconds.toFixed(1)} s` : '' };
}
export function referenceState(reference) {
  const { state, fraction } = s.references.get(reference) || { state: 'missing' };
  if (state.startsWith('learning')) return { lamp: 'arc', fraction, word: `${percent(fraction)} · plays` };
  if (state.startsWith('loading')) return { lamp: 'arc', fraction, word: state };
  if (state === 'missing' || state === 'stale') return { lamp: 'bad', word: state, bad: true };
  return { lamp: state === 'learned' ? 'now' : state === 'remembered' ? 'memo' : 'off', word: state.replace('_', ' ') };
}

/** A name as the daemon takes them, 1 to 32 of letters, digits and _ . -, that nothing has yet. */
export function nameFrom(words, taken) {
  const plain = words.replace(/\.[^.]*$/, '').normalize('NFKD').replace(/\p{M}/gu, '').replace(/[^A-Za-z0-9_.-]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 28) || 'sound';
  let free = plain;
  for (let n = 2; taken.has(free); n++) free = `${plain}-${n}`;
  return free;
}

// ---- Upload -----------------------------------------------------------------------------------

const uploads = new Map();
let uploaded = 0, before = Promise.resolve();
/** Send files to the daemon's machine, one after another, and load each as a clip; as a reference,
 *  too, if wished. */
function upload(files, anchor, asReference = false) {
  for (const file of files) {
    const number = ++uploaded, request = new XMLHttpRequest(), one = { file: file.name, fraction: 0, abort: () => { one.aborted = true; request.abort(); } };
    uploads.set(number, one);
    request.upload.onprogress = e => { one.fraction = e.lengthComputable ? e.loaded / e.total : 0; touch('sounds'); };
    before = before.then(() => one.aborted || new Promise(over => {
      request.onloadend = over;
      request.open('POST', `/upload?name=${encodeURIComponent(file.name)}`);
      request.send(file);
    })).then(() => {
      uploads.delete(number);
      touch('sounds');
      if (request.status === 200) loadUploaded(file.name, JSON.parse(request.responseText).path, anchor, asReference);
      else if (!one.aborted) fault(anchor, `${file.name}: ${request.responseText.trim() || 'no contact; it was not sent'}`);
    });
  }
  touch('sounds');
}
async function loadUploaded(file, path, anchor, asReference) {
  const clip = nameFrom(file, s.clips);
  s.clips.set(clip, { path: file, seconds: 0, state: 'loading', fraction: 0 }); // the next file needs another name
  touch('matrix', 'sounds');
  const loaded = await act(anchor, '/clip/load', clip, path);
  if (!loaded && s.clips.get(clip)?.path === file) { s.clips.delete(clip); touch('matrix', 'sounds'); }
  if (loaded && asReference) act(anchor, '/reference/remember', nameFrom(clip, s.references), clip);
}
const picker = h('input', { type: 'file', accept: 'audio/*,video/*', multiple: true, hidden: true, onchange: () => { upload([...picker.files], picker.anchor); picker.value = ''; } });
document.body.append(picker);
export function pick(anchor) { picker.anchor = anchor; picker.click(); }

for (const over of ['dragenter', 'dragover']) addEventListener(over, e => { e.preventDefault(); document.body.classList.add('drop'); });
addEventListener('dragleave', e => { if (!e.relatedTarget) document.body.classList.remove('drop'); });
addEventListener('drop', e => {
  e.preventDefault();
  document.body.classList.remove('drop');
  const at = e.target.closest?.('[data-drop]');
  if (e.dataTransfer.files.length) upload([...e.dataTransfer.files], at || e.target, !!at);
});

/** The preset that ships: two sounds, a reference, and a voice that is ready to play. */
export function loadFirst(anchor) {
  // The preset is done when its reference has been learned; it can be played long before.
  const look = setInterval(() => {
    if (!s.clips.has('glass') || !/^(remembered|learn)/.test(s.references.get('drone')?.state)) return;
    clearInterval(look);
    act(anchor, '/fuse', 1, 'glass', 'drone');
  }, 100);
  act(anchor, '/preset/load', 'first_night').then(loaded => { if (!loaded) clearInterval(look); });
}

// ---- Keys and lists ---------------------------------------------------------------------------

/** How what is listed is drawn. */
const lists = [];

/** Keys to bring sounds in, and what is kept; `all`, where lists aren't beside them. */
export function sources(all = true) {
  const drawer = (icon, what) => { const e = key(icon, what, () => open(what, e)); return e; }, load = key('load', 'load', () => pick(load));
  return [load, ...takers(), drawer('memo', 'reference'), ...(all ? [drawer('keep', 'favourites')] : []), drawer('tone', 'presets'), drawer('log', 'sessions'), sending()];
}
/** Keys that take what is heard, and when what pads start begins. */
export function takers() {
  const all = [recordKey(), grabKey(), liveKey(), quantiseKey()];
  lists.push(() => { for (const e of all) e.show(); });
  return all;
}

function sending() {
  const box = h('ul.sending', { 'aria-label': 'being sent' });
  lists.push(listed(box, number => {
    const title = name('span'), fill = h('i.fill'), e = h('li', {}, title, fill, h('button.key', { 'aria-label': 'cancel', onclick: () => uploads.get(number)?.abort() }, sign('off')));
    text(title, uploads.get(number).file);
    return Object.assign(e, { fill });
  }, (e, number) => { e.fill.style.transform = `scaleX(${uploads.get(number).fraction})`; }));
  return box;
}

/** A key with a sound's outline, name and state; it opens its drawer. `show()` also returns the state. */
export function soundKey(what, of, spec) {
  const isClip = what === 'clip', hue = isClip ? 'orig' : 'ref';
  const wave = canvas('wave', (x, w, height) => paintWave(x, w, height, waveOf(isClip ? of : s.references.get(of)?.clip), hue));
  const title = name('b.' + hue), lamp = sign('now'), word = h('span'), state = h('span.state', {}, lamp, word);
  const e = h(spec, { onclick: () => open('sound', e, what, of) }, wave, title, state);
  text(title, of);
  e.show = () => {
    const is = isClip ? clipState(of) : referenceState(of);
    lamp.classList.toggle('gone', !is.lamp);
    if (is.lamp) mark(lamp, is.lamp, is.fraction);
    text(word, is.word);
    kind(state, is.bad ? 'state bad' : 'state');
    if (e.pictured !== s.pictured) { e.pictured = s.pictured; wave.repaint(); }
    return is;
  };
  return e;
}
function soundList(what, title) {
  const box = h('ul.list', { 'aria-label': title });
  const show = listed(box, of => {
    const e = soundKey(what, of, 'button');
    e.append(h('i.fill'));
    return h('li', {}, e);
  }, ({ firstChild: e }) => {
    const is = e.show();
    e.lastChild.style.transform = `scaleX(${is.lamp === 'arc' ? is.fraction : 0})`;
  });
  return [h('h2.label', {}, title), box, show];
}
const [refTitle, refBox, showReferences] = soundList('reference', 'references');
const [clipTitle, clipBox, showClips] = soundList('clip', 'originals');
const [keptBox, showKept] = favouriteList(), keptTitle = h('h2.label', {}, 'favourites');
$('.sounds').append(h('div.gain-in', {}, ...sources(false)), keptTitle, keptBox, refTitle, refBox, clipTitle, clipBox);

export function drawSounds() {
  for (const show of lists) show([...uploads.keys()]);
  showReferences([...s.references.keys()]);
  showClips([...s.clips.keys()]);
  refTitle.hidden = !s.references.size;
  clipTitle.hidden = !s.clips.size;
  showKept();
  keptTitle.hidden = !s.favourites.size;
}
