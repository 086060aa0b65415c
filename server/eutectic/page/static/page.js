// Wires the parts together: what is told changes the state, and what has changed is drawn, once a frame.
import { again, contact, start } from './link.js';
import { isEngineOff, logged, onTouch, s, take, takeDirty, takeMeters, touch } from './state.js';
import { failed, fault, guarded, canLearn, onFaults } from './hand.js';
import { $, attr, clock, h, key, kind, mark, minutes, text } from './dom.js';
import { drawFocus, moveFocus } from './focus.js';
import { drawLevels, drawVoices } from './voices.js';
import { drawMatrix, phone } from './matrix.js';
import { drawSounds, takers } from './sounds.js';
import { drawDrawer, openDrawer } from './drawers.js';
import { drawInput, input } from './heard.js';
import { panic } from './keys.js';
import { endAll, settle } from './notes.js';
import { drawTempo, tempo } from './time.js';

// ---- Strip ------------------------------------------------------------------------------------

const LAMPS = { ready: 'now', dead: 'off', failed: 'off', lost: 'off' };
const strip = Object.fromEntries(['engine', 'queue', 'xruns', 'out', 'rec', 'here'].map(each => [each, $(`.c-${each}`)]));
const lamp = $('svg', strip.engine), recordLamp = $('svg', strip.rec), dash = '–';
strip.rec.addEventListener('click', () => openDrawer('record', strip.rec));

/** Time and the input are in the strip where there is room, else under the thumb. */
function arrange() {
  if (phone.matches) $('.played').prepend(tempo, input, playedKeys);
  else { strip.out.before(tempo, input); }
}
const playedKeys = h('div.gain-in', {}, ...takers());
phone.addEventListener('change', arrange);
arrange();

function drawStrip() {
  const { state, model, text: about, place } = s.engine, lost = contact.lost, off = isEngineOff();
  const learning = [...s.references].find(([, each]) => each.state.startsWith('learning'));
  const away = place !== 'local' && `at ${place}`;
  const [what, dim] = lost ? [contact.since && s.number ? `no contact for ${lostSeconds()} s` : 'no contact yet', '']
    : off ? [about || `engine ${state}`, model] : state !== 'ready' ? [[`engine ${state}`, away].filter(Boolean).join(' '), model]
      : [learning ? `learning ${learning[0]} ${Math.round(100 * learning[1].fraction)} %` : 'ready', [model, about, away].filter(Boolean).join(' · ')];
  mark(lamp, lost ? 'off' : learning && state === 'ready' ? 'arc' : LAMPS[state] || 'arc', learning ? learning[1].fraction : s.engine.fraction || 0.3);
  kind(strip.engine, `cell c-engine ${lost || off ? 'bad' : state}`);
  text($('.what', strip.engine), what);
  text($('.model', strip.engine), dim);
  strip.engine.title = [what, dim].filter(Boolean).join(' · ');  // there may be no room for it
  text($('.v', strip.queue), lost ? dash : String(s.queue));
  kind($('.v', strip.queue), s.queue > 15 && !lost ? 'v bad' : 'v');
  text($('.v', strip.xruns), lost ? dash : String(s.xruns));
  strip.xruns.classList.toggle('bad', s.xruns > 0 && !lost);
  const device = s.device?.state === 'lost' && !lost;
  text($('.label', strip.out), device ? `${s.device.name} is lost` : 'out');
  strip.out.classList.toggle('bad', device);
  const { path, seconds, free, text: wrong, at } = s.recording, low = free && free < 500;
  recordLamp.classList.toggle('gone', lost || !path);
  text($('.v', strip.rec), lost ? `rec ${dash}` : wrong || (path ? minutes(seconds + (performance.now() - at) / 1000 % 1) + (low ? ` · ${Math.round(free)} MB free` : '') : 'not recording'));
  kind(strip.rec, `cell c-rec${path ? ' on' : ''}${wrong || low ? ' bad' : ''}`);
  drawInput();
  drawTempo();
  text($('.v', strip.here), lost ? dash : [...s.clients.values()].join(' · '));
}

// ---- Foot -------------------------------------------------------------------------------------

const NEWS_MS = 6000;
let news = null;
const panicKey = $('.panic'), line = $('.line'), [lineSign, lineAt, lineWho, lineText] = line.firstElementChild.children;
guarded(panicKey, () => { if (!panicKey.disabled) panic(); });
canLearn(panicKey, () => '/panic', () => 'panic');
line.firstElementChild.addEventListener('click', () => openDrawer('log', line.firstElementChild));
const tools = [['log', 'log'], ['phone', 'phone']].map(([icon, what]) => { const e = key(icon, what, () => openDrawer(what, e)); return e; });
$('.tools').append(...tools);

onFaults((words, what) => {
  news = { at: new Date(), bad: true, client: what, text: words, until: performance.now() + NEWS_MS };
  attr($('.say'), 'role', 'alert');
  $('.say').textContent = words;
  setTimeout(touch, NEWS_MS + 50, 'foot');
  touch('foot');
});
function drawFoot() {
  panicKey.disabled = contact.lost;
  text(panicKey.firstElementChild, contact.lost ? 'panic: no contact' : 'panic');
  const now = news?.until > performance.now() ? news : s.log.findLast(each => each.text);
  line.hidden = contact.lost || !now;
  if (!now) return;
  lineSign.classList.toggle('gone', !now.bad);
  kind(line, now.bad ? 'line bad' : 'line');
  text(lineAt, clock(now.at));
  text(lineWho, now.client);
  text(lineText, now.text);
}

// ---- Views of a phone -------------------------------------------------------------------------

const views = ['scrub', 'pads', 'sounds', 'keys'].map(view => h('button', { onclick: () => show(view) }, view));
$('.views').append(...views);
function show(view) {
  s.view = document.body.dataset.view = view;
  for (const each of views) attr(each, 'aria-pressed', each.textContent === view);
  touch('voices', 'matrix', 'sounds');
}

// ---- Contact ----------------------------------------------------------------------------------

const lostBox = $('.lost-box'), [lostWhat, lostFrom] = lostBox.querySelectorAll('b, .from');
const lostSeconds = () => Math.max(1, Math.round((Date.now() - contact.since) / 1000));
function drawContact() {
  const was = document.body.classList.contains('lost');
  pinBox.hidden = !contact.pin;
  if (was !== contact.lost) {
    document.body.classList.toggle('lost', contact.lost);
    for (const e of document.querySelectorAll('.tabs, .stage > section')) e.inert = contact.lost;
    if (contact.lost) endAll(); else settle();
    s.levels.clear();
    s.limiter = 0;
    touch('meters');
  }
  const known = s.number > 0;
  lostBox.hidden = !contact.lost || contact.pin || (!known && Date.now() - contact.since < 700);
  if (lostBox.hidden) return;
  text(lostWhat, known ? `No contact for ${lostSeconds()} s` : 'No contact');
  const next = contact.next ? Math.max(0, Math.ceil((contact.next - Date.now()) / 1000)) : 0;
  text(lostFrom, (known ? `What you see is from ${clock(new Date(contact.since))}. ` : '') + (next ? `Next try in ${next} s.` : 'Trying now.'));
}

// ---- PIN --------------------------------------------------------------------------------------

const NEEDS_PIN = 4401, PIN_DIGITS = 6;
const pinBox = $('.pin-box'), pinField = $('input', pinBox), pinWrong = $('.wrong', pinBox);
function askPin() {
  if (contact.pin) return;
  contact.pin = true;
  pinBox.hidden = false;
  if (matchMedia('(pointer: coarse)').matches) pinField.inputMode = 'none'; // it has its own digits
  pinField.focus();
  touch('contact');
}
async function givePin() {
  pinField.readOnly = true; // what is typed meanwhile isn't another PIN
  const answer = await fetch('/pin', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ pin: pinField.value }) }).catch(() => null);
  pinField.value = '';
  pinField.readOnly = false;
  if (!answer?.ok) { pinWrong.textContent = answer ? (await answer.text()).trim() : 'no contact'; return; }
  pinWrong.textContent = '';
  contact.pin = false;
  again();
}
pinField.addEventListener('input', () => {
  if (pinField.readOnly) return;
  pinField.value = pinField.value.replace(/\D/g, '').slice(0, PIN_DIGITS);
  if (pinField.value.length === PIN_DIGITS) givePin();
});
for (const digit of ['1', '2', '3', '4', '5', '6', '7', '8', '9', '', '0', '⌫']) {
  $('.digits', pinBox).append(digit ? h('button.key', { 'aria-label': digit === '⌫' ? 'delete' : digit, onclick: () => {
    if (!pinField.readOnly) pinField.value = digit === '⌫' ? pinField.value.slice(0, -1) : pinField.value + digit;
    pinField.dispatchEvent(new Event('input'));
  } }, digit) : h('span'));
}

// ---- Frames -----------------------------------------------------------------------------------

let asked = 0;
const wake = () => { asked ||= requestAnimationFrame(frame); };
function frame(now) {
  asked = 0;
  const parts = takeDirty();
  if (parts.has('contact')) { drawContact(); parts.add('strip').add('foot'); }
  if (parts.has('strip')) drawStrip();
  else if (parts.has('tempo')) drawTempo();
  if (parts.has('voices')) { drawFocus(); drawVoices(); if (phone.matches) parts.add('matrix'); }
  if (parts.has('matrix')) drawMatrix();
  if (parts.has('sounds')) drawSounds();
  if (parts.has('foot')) drawFoot();
  if (parts.has('drawer') || parts.has('log')) drawDrawer(parts);
  if (parts.has('meters')) drawLevels(now);
  moveFocus(now);
  if (s.voices.get(s.focus)?.state === 'playing' && !contact.lost) wake();
}
onTouch(wake);

// ---- The device it runs on --------------------------------------------------------------------

// A click leaves the keyboard where it was: the next Space is play, not the key that was clicked.
document.addEventListener('mousedown', e => { if (e.target.closest('button')) e.preventDefault(); });
document.addEventListener('contextmenu', e => { if (!e.target.closest('input, ol')) e.preventDefault(); }); // a held finger learns
document.addEventListener('dblclick', e => e.preventDefault());

let lock = null;
async function stayAwake() {
  if (lock && !lock.released || document.hidden) return;
  lock = await navigator.wakeLock?.request('screen').catch(() => null);
}
document.addEventListener('pointerup', stayAwake);
document.addEventListener('visibilitychange', stayAwake);
navigator.serviceWorker?.register('worker.js').catch(() => {});

show(s.view);
touch('contact', 'strip', 'foot', 'voices', 'matrix', 'sounds');
start({
  message(address, values) {
    if (address === '/fail') failed(values[0].replace('/eutectic', ''), values[2], values[3]);
    else if (address === '/idle') logged('info', `voice ${values[1]}`, values[2]);
    else take(address, values);
  },
  meters: takeMeters,
  contact: () => touch('contact'),
  closed: code => { if (code === NEEDS_PIN) askPin(); else if (code === 4429) fault(null, 'too many browsers are connected'); },
  name: () => contact.local ? 'laptop' : matchMedia('(pointer: coarse)').matches ? (Math.min(screen.width, screen.height) < 600 ? 'phone' : 'tablet') : 'browser',
});
