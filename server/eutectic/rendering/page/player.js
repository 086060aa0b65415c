// One sound at a time: a row's fusion, or its original or reference where they can be reached.

const audio = new Audio();
const missing = new Set();
const player = { row: -1, part: "fusion", playing: false, changed: () => {}, moved: () => {} };
let untried = [], section = null, wanted = 0;

/** Play a part of a row, from a share of its length. */
function play(row, part = "fusion", from = 0) {
  const found = addresses(row, part);
  audio.pause();
  Object.assign(player, { row, part, playing: found.length > 0 });
  section = part === "fusion" ? null : { start: value(`${part}_start`, row) ?? 0, length: value(`${part}_duration`, row) };
  untried = found.slice();
  wanted = from;
  attempt();
  player.changed();
}

function attempt() {
  const next = untried.shift();
  if (next === undefined) {
    missing.add(keyOf(player.row, player.part));
    stop();
    return;
  }
  audio.src = next;
  audio.play().catch(() => {}); // an error event, or another sound, has taken its place
}

function stop() {
  audio.pause();
  player.playing = false;
  player.changed();
}

const keyOf = (row, part) => (part === "fusion" ? `fusion ${value("name", row)}` : `${part} ${value(part, row)}`);
const isMissing = (row, part) => addresses(row, part).length === 0 || missing.has(keyOf(row, part));

const begin = () => section?.start ?? 0;
const length = () => Math.min(section?.length ?? Infinity, (Number.isFinite(audio.duration) ? audio.duration : 0) - begin());
const position = () => audio.currentTime - begin();

/** Go to a share of the sound's length. */
const seek = (to) => { if (length() > 0) audio.currentTime = begin() + to * length(); };

audio.addEventListener("loadedmetadata", () => { if (begin() || wanted) seek(wanted); });
audio.addEventListener("error", () => { if (player.playing) attempt(); });
audio.addEventListener("ended", () => (player.loop ? again() : stop()));
audio.addEventListener("playing", () => requestAnimationFrame(follow));

function again() {
  seek(0);
  audio.play().catch(() => {});
}

function follow() {
  if (!player.playing) return;
  if (section?.length && position() >= section.length) (player.loop ? again : stop)();
  player.moved(length() > 0 ? position() / length() : 0);
  requestAnimationFrame(follow);
}
