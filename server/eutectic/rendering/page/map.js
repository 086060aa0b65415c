// The map: how far each sound is from its original and from its reference, coloured by blend.

const canvas = $("#map canvas"), hint = $("#map output");
const AXES = ["from_original", "from_reference"];
const SHADES = 32, CELL = 16, MARGIN = { left: 46, right: 16, top: 14, bottom: 42 };
const extents = AXES.map(extent);
const layer = document.createElement("canvas");
let buckets = new Map(), spots = new Map();

const css = (text) => {
  const probe = document.body.appendChild(element("i"));
  probe.style.color = text;
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
};

function drawMap() {
  const figure = $("#map figure");
  figure.hidden = !extents[0] || !extents[1];
  if (figure.hidden || !canvas.clientWidth) return;
  const wide = canvas.clientWidth, high = canvas.clientHeight, pen = penOf(layer);
  const scales = AXES.map((_, axis) => scale(extents[axis], axis ? [high - MARGIN.bottom, MARGIN.top] : [MARGIN.left, wide - MARGIN.right]));
  drawAxes(pen, scales, wide, high);
  const shades = Array.from({ length: SHADES + 1 }, (_, at) => css(colour(at / SHADES)));
  const size = view.order.length > 5000 ? 3 : view.order.length > 500 ? 5 : 8;
  buckets = new Map();
  spots = new Map();
  pen.globalAlpha = view.order.length > 5000 ? .55 : .85;
  for (const row of view.order) {
    const [x, y] = AXES.map((name, axis) => { const at = value(name, row); return at === null ? null : scales[axis](at); });
    if (x === null || y === null || failed(row)) continue;
    pen.fillStyle = shades[Math.round(share(row) * SHADES)];
    pen.beginPath();
    pen.arc(x, y, size / 2, 0, 7);
    pen.fill();
    spots.set(row, [x, y]);
    const bucket = `${Math.floor(x / CELL)},${Math.floor(y / CELL)}`;
    if (!buckets.has(bucket)) buckets.set(bucket, []);
    buckets.get(bucket).push(row);
  }
  markMap();
}

/** A pen for pixels of CSS on an empty canvas of the map's size. */
function penOf(of) {
  const ratio = devicePixelRatio || 1;
  of.width = Math.round(canvas.clientWidth * ratio);
  of.height = Math.round(canvas.clientHeight * ratio);
  const pen = of.getContext("2d");
  pen.scale(ratio, ratio);
  return pen;
}

/** Show which spot is chosen, and whether it plays. */
function markMap() {
  if (!canvas.clientWidth || !layer.width) return;
  const pen = penOf(canvas), chosen = spots.get(view.chosen);
  pen.drawImage(layer, 0, 0, canvas.clientWidth, canvas.clientHeight);
  if (chosen) {
    pen.lineWidth = 2.5;
    pen.strokeStyle = css("var(--ink)");
    pen.fillStyle = css(player.playing && player.row === view.chosen ? "var(--ink)" : "var(--ground)");
    pen.beginPath();
    pen.arc(...chosen, 7, 0, 7);
    pen.fill();
    pen.stroke();
  }
}

function scale([low, high], [from, to]) {
  const room = (high - low || 1) * .05;
  const made = (at) => from + (at - low + room) / (high - low + 2 * room || 1) * (to - from);
  made.ticks = ticks(low, high);
  return made;
}

function ticks(low, high) {
  const rough = (high - low || 1) / 4, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + 1e-9; at += step) found.push(Number(at.toPrecision(6)));
  return found;
}

function drawAxes(pen, [x, y], wide, high) {
  pen.font = `13px ${getComputedStyle(document.body).fontFamily}`;
  pen.strokeStyle = css("var(--hair)");
  pen.fillStyle = css("var(--ink2)");
  pen.lineWidth = 1;
  pen.beginPath();
  for (const at of x.ticks) { pen.moveTo(x(at), MARGIN.top); pen.lineTo(x(at), high - MARGIN.bottom); }
  for (const at of y.ticks) { pen.moveTo(MARGIN.left, y(at)); pen.lineTo(wide - MARGIN.right, y(at)); }
  pen.stroke();
  pen.textAlign = "center";
  for (const at of x.ticks) pen.fillText(at, x(at), high - MARGIN.bottom + 16);
  pen.textAlign = "right";
  for (const at of y.ticks) pen.fillText(at, MARGIN.left - 6, y(at) + 4);
  pen.fillStyle = css("var(--orig)");
  pen.fillText("from original →", wide - MARGIN.right, high - 8);
  pen.save();
  pen.translate(14, MARGIN.top);
  pen.rotate(-Math.PI / 2);
  pen.fillStyle = css("var(--ref)");
  pen.fillText("from reference →", 0, 0);
  pen.restore();
}

/** The row whose spot is nearest to a place, if one is near. */
function nearest(x, y, reach = 14) {
  let best = null, least = reach ** 2;
  for (let right = -1; right <= 1; right += 1) for (let down = -1; down <= 1; down += 1) {
    for (const row of buckets.get(`${Math.floor(x / CELL) + right},${Math.floor(y / CELL) + down}`) ?? []) {
      const [left, top] = spots.get(row), far = (left - x) ** 2 + (top - y) ** 2;
      if (far < least) [best, least] = [row, far];
    }
  }
  return best;
}

canvas.addEventListener("pointermove", (event) => {
  const row = nearest(event.offsetX, event.offsetY);
  hint.hidden = row === null;
  canvas.style.cursor = row === null ? "" : "pointer";
  if (row === null) return;
  hint.textContent = `${title(row)}, ${shown("blend", row) || shown("remaining", row)}`;
  const left = event.offsetX > canvas.clientWidth / 2;
  Object.assign(hint.style, { left: left ? "auto" : `${event.offsetX + 12}px`, right: left ? `${canvas.clientWidth - event.offsetX + 12}px` : "auto", top: `${Math.max(0, event.offsetY - 30)}px` });
});
canvas.addEventListener("pointerleave", () => { hint.hidden = true; });
canvas.addEventListener("click", (event) => {
  const row = nearest(event.offsetX, event.offsetY, 22);
  if (row !== null) toggle(row, true);
});
new ResizeObserver(() => drawMap()).observe(canvas);
