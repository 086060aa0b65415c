// The rows, in columns: a column is one value for all, or a list of numbers, or words and which one each row has.

const given = JSON.parse(document.getElementById("data").textContent);
const COUNT = given.count;
const byText = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

const column = (name) => given.columns[name] ?? { value: null };

/** A row's value in a column; null if it has none. */
function value(name, row) {
  const found = column(name);
  if ("value" in found) return found.value;
  if (found.words) return found.words[found.which[row]];
  return found.list[row];
}

const stem = (path) => path.replace(/^.*[\\/]/, "").replace(/\.[^.]+$/, "");
const end = (path) => path.replace(/^.*[\\/](?=[^\\/]+[\\/][^\\/]+$)/, "…/");
const failed = (row) => Boolean(value("reason", row));
/** Why a row has no sound, without the path that stands beside it. */
const why = (row) => {
  const reason = value("reason", row), path = ["original", "reference"].map((part) => `${value(part, row)}: `).find((each) => reason.startsWith(each));
  return path ? reason.slice(path.length) : reason;
};
const title = (row) => `${stem(value("original", row))} + ${stem(value("reference", row))}`;

/** Of a column's numbers: the least and the most; null if there are none. */
function extent(name) {
  let low = Infinity, high = -Infinity;
  for (let row = 0; row < COUNT; row += 1) {
    const each = value(name, row);
    if (each === null) continue;
    if (each < low) low = each;
    if (each > high) high = each;
  }
  return low > high ? null : [low, high];
}

const mostRemaining = extent("remaining")?.[1] || 1;

/** How much of the original is in a row's sound, 0 to 1, as far as its setting says. */
const share = (row) => value("blend", row) ?? 1 - (value("remaining", row) ?? 0) / mostRemaining;

/** The colour of such a share, as CSS: from the reference's through the fusion's to the original's. */
const colour = (at) => (at < .5 ? `color-mix(in oklab, var(--fuse) ${200 * at}%, var(--ref))` : `color-mix(in oklab, var(--orig) ${200 * at - 100}%, var(--fuse))`);

/** A setting as people read it. */
function shown(name, row) {
  const found = value(name, row);
  if (found === null || found === "") return "";
  if (typeof found !== "number") return String(found);
  const places = PLACES[name];
  return places === undefined ? String(found) : found.toFixed(places);
}

const PLACES = { duration: 2, loudness: 1, peak_db: 1, gain_db: 1, from_original: 2, from_reference: 2, seconds: 2 };

const TITLES = {
  original: "original", reference: "reference", blend: "blend", remaining: "remaining", preset: "preset", recall: "recall", seed: "seed",
  from_original: "from original", from_reference: "from reference", loudness: "LUFS", duration: "seconds", name: "file", peak_db: "peak dB",
  residual_amount: "residual amount", gain_db: "gain dB", seconds: "took s",
};
const titleOf = (name) => TITLES[name] ?? name;

/** Where each row stands in the order of a column, by numbers; those without a value have NaN. */
const ranks = new Map();
function ranksOf(name) {
  if (ranks.has(name)) return ranks.get(name);
  const found = column(name), of = new Float64Array(COUNT);
  if (found.words) {
    const order = found.words.map((_, place) => place).sort((a, b) => byText.compare(stem(found.words[a]), stem(found.words[b])));
    const at = new Float64Array(order.length);
    order.forEach((word, place) => { at[word] = found.words[word] === "" ? NaN : place; });
    for (let row = 0; row < COUNT; row += 1) of[row] = at[found.which[row]];
  } else if (found.list && typeof found.list.find((each) => each !== null) === "string") {
    const order = [...found.list.keys()].sort((a, b) => byText.compare(found.list[a], found.list[b]));
    order.forEach((row, place) => { of[row] = place; });
  } else for (let row = 0; row < COUNT; row += 1) of[row] = value(name, row) ?? NaN;
  ranks.set(name, of);
  return of;
}

/** All texts of a row, to be searched. */
const texts = new Array(COUNT);
const textOf = (row) => (texts[row] ??= ["name", "original", "reference", "prompt", "preset", "reason"].map((name) => value(name, row)).join(" ").toLowerCase());

/** A column's values, sorted, if there are some but not too many to choose from. */
function choices(name, most = 500) {
  if ("value" in column(name)) return [];
  const found = new Set();
  for (let row = 0; row < COUNT && found.size <= most; row += 1) found.add(value(name, row));
  found.delete(null);
  found.delete("");
  if (found.size < 2 || found.size > most) return [];
  return [...found].sort((a, b) => (typeof a === "number" ? a - b : byText.compare(stem(a), stem(b))));
}

/** Where to find what a row's sound is made of, or the sound itself: addresses to be tried in turn. */
function addresses(row, part) {
  if (part === "fusion") return failed(row) ? [] : [value("name", row).split("/").map(encodeURIComponent).join("/")];
  return given.sources[value(part, row)] ?? [];
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

const $ = (selector) => document.querySelector(selector);

/** What is seen: rows that pass the filters, in order; the column sorted by; the row chosen. */
const view = { order: [], by: "", down: false, chosen: -1, theme: "" };
