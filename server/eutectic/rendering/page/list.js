// The list: only rows that are seen are in the page.

const VARYING = ["remaining", "preset", "recall", "seed", "cfg", "steps", "strength", "residual", "residual_amount", "slack", "eta", "solver", "order", "model", "level", "prompt", "negative"];
const NUMBERS = new Set(["remaining", "recall", "seed", "cfg", "steps", "strength", "residual_amount", "slack", "eta", "order", "loudness", "duration"]);
const WIDTHS = { original: "minmax(110px, 1.3fr)", reference: "minmax(110px, 1.3fr)", blend: "minmax(120px, 1fr)", from_original: "minmax(124px, 1fr)", from_reference: "minmax(132px, 1fr)", name: "minmax(140px, 2.2fr)" };
const BARS = { from_original: "orig", from_reference: "ref" };
const followsBlend = Array.from({ length: COUNT }, (_, row) => value("blend", row)).every((each) => each !== null);
const most = Object.fromEntries(Object.keys(BARS).map((name) => [name, extent(name)?.[1] || 1]));

/** Whether rows differ in a column; the steps that remain follow from the blend where that is given. */
const varies = (name) => !("value" in column(name)) && !(name === "remaining" && followsBlend);

/** Whether a prompt says more than its reference. */
function hasPrompts() {
  const of = new Map();
  for (let row = 0; row < COUNT; row += 1) {
    const reference = value("reference", row), prompt = value("prompt", row);
    if (of.has(reference) && of.get(reference) !== prompt) return true;
    of.set(reference, prompt);
  }
  return false;
}

const columns = ["original", "reference", ...(varies("blend") ? ["blend"] : []), ...VARYING.filter((name) => varies(name) && (name !== "prompt" || hasPrompts())), ...["from_original", "from_reference", "loudness", "duration"].filter((name) => extent(name)), "name"];

const table = $(".table"), body = $(".body");
const pool = [];

function buildHeads() {
  const heads = $(".heads .row");
  const widths = columns.map((name) => WIDTHS[name] ?? (NUMBERS.has(name) ? "82px" : "minmax(90px, .8fr)"));
  table.style.setProperty("--columns", `34px ${widths.join(" ")}`);
  const least = widths.reduce((sum, width) => sum + Number(width.match(/\d+/)[0]), 60);
  table.style.setProperty("--wide", `${least}px`);
  heads.appendChild(element("div", "unseen", "play")).setAttribute("role", "columnheader");
  for (const name of columns) {
    const head = heads.appendChild(element("div", NUMBERS.has(name) ? "number" : ""));
    head.setAttribute("role", "columnheader");
    head.dataset.column = name;
    const button = head.appendChild(element("button", BARS[name] ?? "", titleOf(name)));
    button.tabIndex = -1;
    if (BARS[name]) button.title = "Distance: the shorter the bar, the more alike";
    button.addEventListener("click", () => sortBy(name));
  }
  table.setAttribute("aria-colcount", columns.length + 1);
}

function makeRow() {
  const made = element("div", "row");
  made.setAttribute("role", "row");
  for (const name of ["symbol", ...columns]) {
    const cell = made.appendChild(element("div", name === "symbol" ? "symbol" : `c-${name}`));
    cell.setAttribute("role", "gridcell");
    if (name === "original") cell.classList.add("orig");
    else if (name === "reference") cell.classList.add("ref");
    else if (name === "name") cell.classList.add("name");
    else if (NUMBERS.has(name)) cell.classList.add("number");
    if (name === "blend") cell.append(element("span"), element("i")), cell.classList.add("blend");
    if (BARS[name]) cell.append(element("i", BARS[name]), element("span")), cell.classList.add("bar");
  }
  made.append(element("div", "played"));
  made.lastChild.setAttribute("role", "presentation");
  made.addEventListener("click", () => toggle(Number(made.dataset.row)));
  return made;
}

/** Fill a row of the page with one of the data. */
function fill(made, row, place) {
  const height = rowHeight();
  made.style.transform = `translateY(${place * height}px)`;
  made.className = `row${row === view.chosen ? " chosen" : ""}${failed(row) ? " failed" : ""}${player.playing && row === player.row ? " playing" : ""}`;
  made.id = `row-${row}`;
  made.setAttribute("aria-rowindex", place + 2);
  made.setAttribute("aria-selected", row === view.chosen);
  if (made.dataset.row === String(row)) return;
  made.dataset.row = row;
  made.lastChild.style.transform = "scaleX(0)";
  made.firstChild.setAttribute("aria-label", failed(row) ? "failed" : "play");
  columns.forEach((name, index) => {
    const cell = made.children[index + 1], found = value(name, row);
    if (name === "blend" || BARS[name]) {
      const [text, bar] = name === "blend" ? cell.children : [cell.lastChild, cell.firstChild];
      text.textContent = shown(name, row);
      bar.style.visibility = found === null ? "hidden" : "";
      bar.style.setProperty("--at", name === "blend" ? found : (found ?? 0) / most[name]);
    } else if (name === "original" || name === "reference") {
      cell.textContent = stem(found);
      cell.title = found;
    } else if (name === "name") {
      cell.textContent = failed(row) ? why(row) : found;
      cell.title = failed(row) ? value("reason", row) : found;
    } else cell.textContent = shown(name, row);
  });
}

const rowHeight = () => (rowHeight.known ??= parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--row")));
addEventListener("resize", () => { rowHeight.known = undefined; drawList(); });

function drawList() {
  if ($("#list").hidden) return;
  const height = rowHeight(), top = Math.max(0, table.scrollTop - 300);
  body.style.height = `${view.order.length * height}px`;
  table.setAttribute("aria-rowcount", view.order.length + 1);
  const first = Math.floor(top / height), last = Math.min(view.order.length, Math.ceil((table.scrollTop + table.clientHeight + 300) / height));
  const count = Math.max(0, last - first);
  while (pool.length < count) pool.push(body.appendChild(makeRow()));
  // A place keeps its element while it is seen, so that scrolling fills only what is new
  for (let place = first; place < last; place += 1) fill(pool[place % pool.length], view.order[place], place);
  const kept = new Set(Array.from({ length: count }, (_, index) => (first + index) % pool.length));
  pool.forEach((made, index) => { made.hidden = !kept.has(index); });
  if (view.chosen >= 0 && document.getElementById(`row-${view.chosen}`)) table.setAttribute("aria-activedescendant", `row-${view.chosen}`);
  else table.removeAttribute("aria-activedescendant");
}

let asked = false;
table.addEventListener("scroll", () => {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => { asked = false; drawList(); });
}, { passive: true });

/** Scroll so that a place of the order is seen. */
function showPlace(place) {
  const height = rowHeight(), heads = $(".heads").offsetHeight;
  const top = place * height, bottom = top + height + heads;
  if (top < table.scrollTop) table.scrollTop = top;
  else if (bottom > table.scrollTop + table.clientHeight) table.scrollTop = bottom - table.clientHeight;
}
