// Wiring: what is filtered, sorted, chosen and played, and the keys.

buildHeads();
document.title = $("#title").textContent = given.title;

const facets = new Map();
for (const name of ["original", "reference", "blend", "remaining", "preset", "recall", "seed"]) {
  const found = varies(name) ? choices(name) : [];
  if (!found.length) continue;
  const select = $("#facets").appendChild(element("select", { original: "orig", reference: "ref" }[name] ?? ""));
  select.setAttribute("aria-label", titleOf(name));
  select.append(new Option(`${titleOf(name)}: all`, ""), ...found.map((each, place) => new Option(typeof each === "string" ? stem(each) : each, place)));
  facets.set(name, { select, found });
  select.addEventListener("change", refresh);
}
if (given.failed) {
  const select = $("#facets").appendChild(element("select"));
  select.setAttribute("aria-label", "made or failed");
  select.append(new Option("made and failed", ""), new Option("made", "0"), new Option("failed", "1"));
  facets.set("failed", { select });
  select.addEventListener("change", refresh);
}

for (const name of columns) for (const [sign, word] of [[1, "up"], [-1, "down"]]) {
  $("#sort").append(new Option(`${titleOf(name)}, ${word}`, `${sign < 0 ? "-" : ""}${name}`));
}
$("#sort").prepend(new Option("as planned", ""));

const COMMON = ["original", "reference", "blend", "model", "preset", "recall", "slack", "cfg", "negative", "steps", "order", "solver", "eta", "residual", "strength", "seed", "level", "prompt"];
$("#common").append(...COMMON.filter((name) => COUNT > 1 && !varies(name) && shown(name, 0)).flatMap((name, place) => [`${place ? " · " : ""}${titleOf(name)} `, element("b", "", name === "original" || name === "reference" ? stem(value(name, 0)) : shown(name, 0))]));

/** Filter and sort anew. */
function refresh() {
  const wordsAsked = $("#find").value.toLowerCase().split(/\s+/).filter(Boolean), tests = [];
  for (const [name, { select, found }] of facets) {
    select.classList.toggle("set", select.value !== "");
    if (select.value === "") continue;
    tests.push(name === "failed" ? (row) => failed(row) === (select.value === "1") : (row) => value(name, row) === found[select.value]);
  }
  if (wordsAsked.length) tests.push((row) => wordsAsked.every((word) => textOf(row).includes(word)));
  const order = [];
  for (let row = 0; row < COUNT; row += 1) if (tests.every((test) => test(row))) order.push(row);
  if (view.by) {
    const of = ranksOf(view.by), sign = view.down ? -1 : 1;
    order.sort((a, b) => (Number.isNaN(of[a]) - Number.isNaN(of[b])) || sign * (of[a] - of[b]) || a - b);
  }
  view.order = order;
  $("#clear").hidden = !tests.length;
  $("#nothing").hidden = order.length > 0;
  const count = (number) => number.toLocaleString("en");
  $("#count").textContent = `${order.length < COUNT ? `${count(order.length)} of ` : ""}${count(COUNT)} ${COUNT === 1 ? "sound" : "sounds"}${given.failed ? `, ${count(given.failed)} failed` : ""}${given.left_out ? `; ${count(given.left_out)} more are in the manifest alone` : ""}`;
  draw();
}

function draw() {
  drawList();
  drawGrid();
  drawMap();
}

function sortBy(name, down = view.by === name && !view.down) {
  Object.assign(view, { by: name, down });
  for (const head of document.querySelectorAll("[data-column]")) {
    if (head.dataset.column === name) head.setAttribute("aria-sort", down ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
  $("#sort").value = name ? `${down ? "-" : ""}${name}` : "";
  table.scrollTop = 0;
  refresh();
}

/** Choose a row, and show all about it. */
function choose(row, scroll = true) {
  view.chosen = row;
  if (scroll) {
    const place = view.order.indexOf(row);
    if (place >= 0 && !$("#list").hidden) showPlace(place);
  }
  describe(row);
  drawList();
  markGrid();
  if (scroll) $(`#tile-${row}`)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  markMap();
  showDeck();
}

/** Play a row, or stop it if it plays. */
function toggle(row, scroll = false) {
  const plays = player.playing && player.row === row && player.part === "fusion";
  choose(row, scroll);
  if (plays) stop();
  else play(row);
}

const ABOUT = ["original", "reference", "prompt", "blend", "remaining", "preset", "recall", "slack", "cfg", "negative", "steps", "order", "solver", "eta", "residual", "residual_amount", "strength", "seed", "level", "model", "from_original", "from_reference", "loudness", "peak_db", "gain_db", "duration", "seconds"];

function describe(row) {
  const about = $("#about");
  about.replaceChildren();
  const line = (name, className = "", text = "") => about.append(element("dt", "", name), element("dd", className, text));
  if (failed(row)) line("failed", "bad", value("reason", row));
  for (const name of ABOUT) {
    const text = shown(name, row);
    if (!text) continue;
    line(titleOf(name), "", text);
    if (name !== "original" && name !== "reference") continue;
    Object.assign(about.lastChild, { className: name === "original" ? "orig" : "ref", title: text, textContent: end(text) });
  }
  line("file", "", failed(row) ? value("name", row) : "");
  if (failed(row)) return;
  const link = about.lastChild.appendChild(element("a", "", value("name", row)));
  link.href = addresses(row, "fusion")[0];
  line("again", "code", `eutectic fuse --like '${value("name", row).replaceAll("'", "'\\''")}'`);
}

// Deck

const clock = (seconds) => `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, "0")}`;

function showDeck() {
  const row = view.chosen;
  $("#play").classList.toggle("on", player.playing);
  $("#play").setAttribute("aria-label", player.playing ? "Stop" : "Play");
  $("#seek").disabled = !player.playing;
  if (row < 0) return;
  $("#now").textContent = `${title(row)}${shown("blend", row) && `, ${shown("blend", row)}`}`;
  const gone = missing.has(keyOf(row, player.part));
  $("#where").className = failed(row) || gone ? "bad" : "";
  $("#where").textContent = failed(row) ? why(row) : gone ? `The ${player.part} can't be played from here.` : value("name", row);
  for (const button of document.querySelectorAll("[data-part]")) {
    button.disabled = isMissing(row, button.dataset.part);
    button.setAttribute("aria-pressed", player.part === button.dataset.part);
  }
}

player.changed = () => { showDeck(); drawList(); markGrid(); markMap(); if (!player.playing) player.moved(0); };
player.moved = (at) => {
  $("#seek").value = at * 1000;
  $("#time").textContent = length() > 0 ? `${clock(Math.max(0, position()))} / ${clock(length())}` : "";
  const seen = document.querySelectorAll(`#row-${player.row} .played, #tile-${player.row} .played`);
  for (const each of seen) each.style.transform = `scaleX(${at})`;
};

/** Play another part of the chosen row: an original from where its fusion is. */
function switchTo(part) {
  if (view.chosen < 0 || isMissing(view.chosen, part)) return;
  const along = player.playing && player.row === view.chosen && part !== "reference" && player.part !== "reference";
  play(view.chosen, part, along && length() > 0 ? position() / length() : 0);
}

$("#play").addEventListener("click", playOrStop);
for (const button of document.querySelectorAll("[data-part]")) button.addEventListener("click", () => switchTo(button.dataset.part));
$("#seek").addEventListener("input", (event) => seek(event.target.value / 1000));
$("#loop").addEventListener("click", loop);

function playOrStop() {
  if (player.playing) stop();
  else if (view.chosen >= 0) play(view.chosen, isMissing(view.chosen, player.part) ? "fusion" : player.part);
  else if (view.order.length) toggle(view.order[0], true);
}

function loop() {
  player.loop = !player.loop;
  $("#loop").setAttribute("aria-pressed", player.loop);
}

// Filters, views, theme

$("#find").addEventListener("input", refresh);
$("#sort").addEventListener("change", (event) => sortBy(event.target.value.replace("-", ""), event.target.value.startsWith("-")));
const clearAll = () => { $(".filters").reset(); $("#sort").value = view.by ? `${view.down ? "-" : ""}${view.by}` : ""; refresh(); };
$("#clear").addEventListener("click", (event) => { event.preventDefault(); clearAll(); });
$("#nothing button").addEventListener("click", clearAll);

function show(name) {
  $("main").dataset.view = name;
  $("#list").hidden = name !== "list";
  gridBox.hidden = name !== "grid";
  for (const button of document.querySelectorAll(".views button")) button.setAttribute("aria-pressed", button.dataset.view === name);
  draw();
  if (view.chosen >= 0) choose(view.chosen);
}
for (const button of document.querySelectorAll(".views button")) button.addEventListener("click", () => show(button.dataset.view));

const THEMES = { "": ["dark light", "◐"], light: ["light", "☀"], dark: ["dark", "☾"] };
function theme(name) {
  const [scheme, sign] = THEMES[name] ?? THEMES[""];
  document.documentElement.style.colorScheme = name ? scheme : "";
  $("#theme").textContent = sign;
  $("#theme").setAttribute("aria-label", `Colours: ${name || "as the system has them"}`);
  try { localStorage.setItem("eutectic.theme", name); } catch { /* a private window */ }
  view.theme = name;
  drawMap();
}
$("#theme").addEventListener("click", () => { const names = Object.keys(THEMES); theme(names[(names.indexOf(view.theme) + 1) % names.length]); });
matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => drawMap());

// Keys

/** Choose the row so many places on; if something plays, that plays now. */
function move(step) {
  const order = gridBox.hidden ? view.order : gridOrder;
  if (!order.length) return;
  const at = order.indexOf(view.chosen);
  moveTo(order[at < 0 ? 0 : Math.max(0, Math.min(order.length - 1, at + step))]);
}

function moveTo(row) {
  const { playing } = player, changed = row !== view.chosen;
  choose(row);
  if (playing && changed) play(row);
}

const page = () => Math.max(1, Math.floor(table.clientHeight / rowHeight()) - 1);
const KEYS = {
  " ": playOrStop, Enter: () => view.chosen >= 0 && toggle(view.chosen), Escape: stop,
  ArrowDown: () => (gridBox.hidden ? move(1) : moveTo(beside(view.chosen, 1))), ArrowUp: () => (gridBox.hidden ? move(-1) : moveTo(beside(view.chosen, -1))),
  ArrowRight: () => move(1), ArrowLeft: () => move(-1), PageDown: () => move(page()), PageUp: () => move(-page()),
  Home: () => move(-COUNT), End: () => move(COUNT),
  o: () => switchTo("original"), f: () => switchTo("fusion"), r: () => switchTo("reference"), l: loop, "/": () => $("#find").focus(),
};
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input[type=search]")) {
    if (event.key === "Escape") { event.target.value = ""; refresh(); }
    if (event.key === "Escape" || event.key === "Enter" || event.key === "ArrowDown") { (gridBox.hidden ? table : gridBox).focus(); event.preventDefault(); }
    return;
  }
  if (event.target.matches("select, input") && (event.key.startsWith("Arrow") || event.key.length > 1 || event.key === " ")) return;
  if (event.target.matches("button, a") && (event.key === "Enter" || event.key === " ")) return;
  const found = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
  if (!found) return;
  event.preventDefault();
  found();
});

let kept = "";
try { kept = localStorage.getItem("eutectic.theme") ?? ""; } catch { /* a private window */ }
theme(kept);
refresh();
show(given.view);
showDeck();
