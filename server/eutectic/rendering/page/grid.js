// The grid: originals down, references across, and in each place the fusions of the two by blend.

const MOST_TILES = 6000;
const gridBox = $("#grid");
let gridOrder = [];

function drawGrid() {
  if (gridBox.hidden) return;
  gridBox.replaceChildren();
  gridOrder = [];
  if (!view.order.length) return;
  if (view.order.length > MOST_TILES) {
    gridBox.append(element("p", "note", `The grid shows up to ${MOST_TILES.toLocaleString("en")} sounds; filter them first.`));
    return;
  }
  const rows = view.order.slice().sort((a, b) => a - b);
  const by = (name) => [...new Set(rows.map((row) => value(name, row)))]; // as planned
  const originals = by("original"), references = by("reference"), places = new Map();
  for (const row of rows) {
    const place = `${value("original", row)}\0${value("reference", row)}`;
    if (!places.has(place)) places.set(place, []);
    places.get(place).push(row);
  }
  const made = element("table"), head = made.createTHead().insertRow();
  head.append(element("td"));
  head.append(...references.map((each) => heading(each, "ref", "col")));
  const body = made.createTBody();
  for (const original of originals) {
    const line = body.insertRow();
    line.append(heading(original, "orig", "row"));
    for (const reference of references) line.insertCell().append(...lines(places.get(`${original}\0${reference}`) ?? []));
  }
  gridBox.append(made);
  markGrid();
}

function heading(path, className, scope) {
  const made = element("th");
  made.scope = scope;
  made.append(element("span", className, stem(path)));
  made.title = path;
  return made;
}

const LINES = ["preset", "recall", "seed", "cfg", "steps", "strength", "residual", "model"];

/** The fusions of a pair: a line for each way of sampling, a tile for each blend. */
function lines(rows) {
  const found = new Map(), differ = LINES.filter(varies);
  for (const row of rows) {
    const name = differ.map((each) => `${titleOf(each)} ${shown(each, row) || "–"}`).join(", ");
    if (!found.has(name)) found.set(name, []);
    found.get(name).push(row);
  }
  return [...found].map(([name, of]) => {
    const line = element("div", "line");
    for (const row of of.sort((a, b) => share(a) - share(b))) {
      gridOrder.push(row);
      line.append(tile(row));
    }
    if (name) line.append(element("small", "", name));
    return line;
  });
}

function tile(row) {
  const made = element("button", `tile${failed(row) ? " failed" : ""}`, failed(row) ? "!" : shown("blend", row) || shown("remaining", row) || "·");
  made.id = `tile-${row}`;
  made.tabIndex = -1;
  made.style.setProperty("--colour", colour(share(row)));
  made.title = failed(row) ? value("reason", row) : `${title(row)}, ${made.textContent}`;
  made.setAttribute("aria-label", made.title);
  made.append(element("span", "played"));
  made.addEventListener("click", () => { toggle(row); gridBox.focus({ preventScroll: true }); });
  return made;
}

/** Show which tile is chosen, and which plays. */
function markGrid() {
  if (gridBox.hidden) return;
  for (const each of gridBox.querySelectorAll(".chosen, .playing")) each.classList.remove("chosen", "playing");
  $(`#tile-${view.chosen}`)?.classList.add("chosen");
  if (player.playing) $(`#tile-${player.row}`)?.classList.add("playing");
}

/** The nearest tile of those above, or below. */
function beside(row, step) {
  const from = $(`#tile-${row}`)?.getBoundingClientRect();
  if (!from) return gridOrder[0];
  let best = row, least = Infinity;
  for (const each of gridOrder) {
    const at = document.getElementById(`tile-${each}`).getBoundingClientRect();
    const down = (at.top - from.top) * step;
    if (down < 4) continue;
    const far = down + Math.abs(at.left - from.left);
    if (far < least) [best, least] = [each, far];
  }
  return best;
}
