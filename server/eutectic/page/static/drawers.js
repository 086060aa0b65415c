// Drawers over the pads: log, phone, one sound, recording, presets, sessions. None of them blocks playing.
import { contact } from './link.js';
import { s, touch, wantSessions } from './state.js';
import { favouritesDrawer } from './kept.js';
import { inputDrawer } from './heard.js';
import { tempoDrawer } from './time.js';
import { axesDrawer, toneDrawer } from './tone.js';
import { act, onOpen, once } from './hand.js';
import { $, attr, clock, h, key, kind, listed, minutes, name, sign, text } from './dom.js';
import { clipState, nameFrom, referenceState } from './sounds.js';

const over = $('.over');
let current = null, opener = null;

/** Open one; again from the same key, close it. `part` is { title, tools, body, draw, className };
 *  what is `quiet` doesn't begin with typing. */
export function openDrawer(what, anchor, ...rest) {
  const again = current?.what === what && opener === anchor;
  closeDrawer();
  if (again) return;
  const { title, tools = [], body, draw = () => {}, className = '', quiet = false } = DRAWERS[what](...rest);
  const close = h('button.key', { onclick: closeDrawer }, 'close'), words = h('h2.name.cut', { dir: 'auto' }, title);
  current = { what, draw, e: h(`div.drawer.${what}`, { role: 'dialog', 'aria-label': title }, h('div.drawer-head', {}, words, ...tools, close), h('div.drawer-body' + className, {}, ...body)) };
  opener = anchor;
  over.replaceChildren(current.e);
  draw();
  (!quiet && current.e.querySelector('input') || close).focus({ preventScroll: true });
  touch('foot');
}
export function closeDrawer() {
  if (!current) return false;
  over.replaceChildren();
  current = null;
  if (opener?.isConnected) opener.focus({ preventScroll: true });
  touch('foot');
  return true;
}
onOpen(openDrawer);
export function drawDrawer(parts) {
  if (current && (current.what !== 'log' || parts.has('log') || parts.has('drawer'))) current.draw();
}

// ---- Parts of them ----------------------------------------------------------------------------

const field = (label, input) => h('label.field-of', {}, h('span.label', {}, label), input);
const words = (value, props = {}) => h('input', { type: 'text', value: value, autocomplete: 'off', spellcheck: 'false', dir: 'auto', ...props });
const NAME = { required: true, maxlength: '32', pattern: '[A-Za-z0-9_.\\-]+' };
const form = (onsubmit, ...children) => h('form', { onsubmit: e => { e.preventDefault(); onsubmit(e.submitter || e.target); } }, ...children);
const submit = (icon, word, value = '') => h('button.key', { type: 'submit', value }, sign(icon), h('span', {}, word));
const PARTS = { field, form, submit };
const done = answer => { if (answer) closeDrawer(); };

// ---- Log --------------------------------------------------------------------------------------

let onlyBad = false;
const SHOWN = 200;
function logDrawer() {
  const filter = key('bad', 'only failures', () => { onlyBad = !onlyBad; touch('log'); }), list = h('ol.log', { tabindex: '0', 'aria-label': 'log' });
  const show = listed(list, line => h(line.bad ? 'li.bad' : 'li', {}, h('span.dim', {}, clock(line.at)), h('bdi.dim', {}, line.client), h('span', { dir: 'auto' }, line.text)), () => {});
  return { title: 'Log', tools: [filter], body: [list], draw() {
    attr(filter, 'aria-pressed', onlyBad);
    show(s.log.filter(line => line.bad || !onlyBad).slice(-SHOWN).reverse());
  } };
}

// ---- Phone ------------------------------------------------------------------------------------

function phoneDrawer() {
  const { local, urls, code } = contact;
  if (!local) return { title: 'Open this page on another phone', body: [h('p', {}, 'Press “phone” on the laptop: it shows where, and the PIN.')] };
  if (!urls.length) return { title: 'Open this page on a phone', body: [h('p', {}, 'Only this computer can reach it now. Start Eutectic with ', h('code', {}, 'serve --host 0.0.0.0'), ', and an address and a PIN are here.')] };
  const qr = h('img.qr', { src: 'phone.svg', alt: 'QR code of the page’s address' });
  const here = h('p.dim');
  return { title: 'Open this page on a phone', className: '.share', body: [qr, h('div', {},
    h('p', {}, 'Scan, or go to ', ...urls.flatMap((url, i) => [i ? ' or ' : '', h('b', {}, url.replace(/^http:\/\/|\/$/g, ''))]), ' on the same network and enter'),
    h('p.pin', {}, code), here)],
  draw() { text(here, `Here now: ${[...s.clients.values()].join(', ')}. The PIN is new at every start.`); } };
}

// ---- One sound --------------------------------------------------------------------------------

/** A clip or a reference: what it is, and what can be made of it. */
function soundDrawer(what, of) {
  const state = h('p.state'), isClip = what === 'clip';
  const free = h('button.key', { onclick: async () => done(await act(free, `/${what}/free`, of)) }, sign('off'), h('span', {}, isClip ? 'remove this clip' : 'remove this reference'));
  const draw = () => {
    const is = isClip ? clipState(of) : referenceState(of), about = (isClip ? s.clips : s.references).get(of);
    text(state, about ? [isClip ? about.path : `of clip ${about.clip}`, is.word].filter(Boolean).join(' · ') : 'removed');
    kind(state, is.bad ? 'state bad' : 'state');
  };
  const known = s.references.get(of);
  const clip = isClip ? of : known?.clip, own = isClip ? nameFrom(of, s.references) : of;
  return { title: of, body: [state, ...(clip ? [referenceForm(() => clip, own, known?.prompt || '', !isClip)] : []), h('div.keys-of', {}, free)], draw };
}
/** Remember a clip as a reference, which plays at once, or learn it, too. */
function referenceForm(clip, own, prompt, known) {
  const called = words(own, { ...NAME, readOnly: known }), says = words(prompt, { placeholder: 'words that describe it', maxlength: '200' });
  const remember = submit('memo', 'remember: plays at once', 'remember'), learn = submit('now', 'learn: plays at once, gets better', 'learn');
  return form(async by => {
    const learns = by.value === 'learn', asked = says.value.trim() || (learns ? clip().replace(/[_-]+/g, ' ') : '');
    const sent = act(by, learns ? '/reference/learn' : '/reference/remember', called.value, clip(), ...(asked ? [asked] : []));
    // Learning goes on for a while; its progress is at the reference.
    if (learns) closeDrawer(); else done(await sent);
  }, field('name', called), field('prompt', says), h('div.keys-of', {}, ...(known ? [learn] : [remember, learn])));
}
function referenceDrawer() {
  const of = h('select', { required: true, onchange: () => { $('input', box).value = nameFrom(of.value, s.references); } }, ...[...s.clips.keys()].map(clip => h('option', { value: clip }, clip)));
  const box = h('div', {}, referenceForm(() => of.value, nameFrom(of.value || 'reference', s.references), '', false));
  return s.clips.size ? { title: 'A new reference', body: [field('clip', of), box] } : { title: 'A new reference', body: [h('p', {}, 'Load a sound first: any that is loaded can be one.')] };
}

// ---- Recording --------------------------------------------------------------------------------

function recordDrawer() {
  const path = words(`take-${new Date().toISOString().slice(0, 19).replace(/\D/g, '')}.wav`, { required: true, maxlength: '120' }), now = h('p');
  const start = submit('rec', 'record the output'), is = () => !!s.recording.path, stop = key('stop', 'stop recording', once(is, () => act(stop, '/record/stop')));
  const stems = h('input', { type: 'checkbox' });
  return { title: 'Record', body: [
    form(once(is, by => act(by, '/record/start', path.value, ...(stems.checked ? ['@stems', 1] : []))), field('file', path), h('label.check', {}, stems, 'also a file for each voice'), h('div.keys-of', {}, start, stop), now)],
  draw() {
    const { path: file, seconds: long, free, text: wrong } = s.recording;
    stop.disabled = !file;
    start.disabled = !!file;
    text(now, wrong || (file ? `${minutes(long)} in ${file}, ${Math.round(free)} MB free` : ''));
    kind(now, wrong ? 'bad' : 'dim');
  } };
}

// ---- Presets and sessions ---------------------------------------------------------------------

function rowsOf(label, store, choose, says) {
  const list = h('ul.rows', { 'aria-label': label });
  const show = listed(list, each => {
    const title = name('b'), what = name('span.dim'), e = h('button.pick', { onclick: () => choose(each, e) }, title, what);
    text(title, each);
    return h('li', {}, Object.assign(e, { what }));
  }, (li, each) => { text(li.firstChild.what, says(s[store].get(each))); attr(li.firstChild, 'aria-current', !!s[store].get(each).used); });
  return [list, () => show([...s[store].keys()].sort())];
}
function presetsDrawer() {
  const [list, draw] = rowsOf('presets', 'presets', async (each, e) => done(await act(e, '/preset/load', each)), each => each.what);
  const own = words('', { ...NAME, placeholder: 'a new name' });
  return { title: 'Presets', body: [form(by => act(by, '/preset/save', own.value), field('save as', own), submit('keep', 'save')), list], draw };
}
function sessionsDrawer() {
  let keep = false;
  s.listed = false;
  const stays = key('loop', 'what plays stays', () => { keep = !keep; draw(); });
  const kept = () => keep ? ['@keep', 1] : [], own = words('', { required: true, maxlength: '64', placeholder: 'a new name' });
  const [list, show] = rowsOf('sessions', 'sessions', async (each, e) => done(await act(e, '/session/load', each, ...kept())), each => (each.used ? 'in use · ' : '') + each.what);
  const save = key('keep', 'save this one', () => changed(act(save, '/session/save')));
  const changed = answer => answer.then(() => { s.listed = false; touch('drawer'); });
  const draw = () => { wantSessions(); attr(stays, 'aria-pressed', keep); show(); };
  return { title: 'Sessions', tools: [stays, save], body: [form(by => changed(act(by, by.value === 'new' ? '/session/new' : '/session/save', own.value, ...(by.value === 'new' ? kept() : []))),
    field('name', own), submit('keep', 'save as', 'save'), submit('load', 'new, empty', 'new')), list], draw };
}

const DRAWERS = { log: logDrawer, phone: phoneDrawer, sound: soundDrawer, reference: referenceDrawer, record: recordDrawer, presets: presetsDrawer, sessions: sessionsDrawer,
  favourites: favouritesDrawer, input: () => inputDrawer(PARTS), tempo: () => tempoDrawer(PARTS), axes: () => axesDrawer(PARTS), tone: toneDrawer };
