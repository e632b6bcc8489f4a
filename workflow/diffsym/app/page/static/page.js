// The page of `diffsym serve`. Everything that a file or an answer says becomes text, never markup.
"use strict";

const SYSTEMS = {
  triclinic: "#0072B2",
  monoclinic: "#E69F00",
  orthorhombic: "#009E73",
  tetragonal: "#56B4E9",
  trigonal: "#8C8C8C",
  hexagonal: "#F0E442",
  cubic: "#D55E00",
};
const GROUPS = 230;
const DARK_EDGE = "#4D4D00"; // yellow on white needs one
const OVERLAYS = ["#332288", "#CC3377", "#7A4A12", "#9A7FD1", "#37474F", "#6B6B00"];

const byId = (name) => document.getElementById(name);
const entries = []; // {id, file, answer, shown: Set, curves: Set, range}
let about = null;
let current = null;
let lastId = 0;

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") made.className = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

// "P6_3/mmc" and "-3" with a subscript and a bar.
function typeset(symbol) {
  const span = element("span", { "aria-label": symbol });
  for (const part of symbol.match(/_\d|-\d|[^_-]+/g) || []) {
    if (part.startsWith("_")) span.append(element("sub", {}, part.slice(1)));
    else if (part.startsWith("-")) span.append(element("span", { class: "bar" }, part.slice(1)));
    else span.append(part);
  }
  return span;
}

function swatch(system) {
  const svg = svgElement("svg", { class: "swatch", viewBox: "0 0 13 13", "aria-hidden": "true" });
  const edge = system === "hexagonal" ? DARK_EDGE : SYSTEMS[system];
  svg.append(svgElement("rect", { x: 1, y: 1, width: 11, height: 11, fill: SYSTEMS[system], stroke: edge }));
  return svg;
}

function meter(share, system) {
  const svg = svgElement("svg", { class: "meter", viewBox: "0 0 90 12", "aria-hidden": "true" });
  const edge = system === "hexagonal" ? DARK_EDGE : SYSTEMS[system];
  svg.append(svgElement("rect", { x: 0, y: 0, width: 90, height: 12, rx: 3, fill: "#e4e9ee" }));
  svg.append(svgElement("rect", { x: 0.5, y: 0.5, width: Math.max(89 * share, 1), height: 11, rx: 3, fill: SYSTEMS[system], stroke: edge }));
  return svg;
}

const percent = (share) => (share > 0 && share < 0.001 ? "< 0.1 %" : `${(100 * share).toFixed(1)} %`);
const megabytes = (bytes) => `${bytes / 1e6} MB`;
const signed = (value) => `${value < 0 ? "−" : value > 0 ? "+" : ""}${Math.abs(value).toFixed(2)}`;

// --- asking -----------------------------------------------------------------------------------

// A folder that is dropped looks like a file until it is read.
async function isReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

async function ask(entry, wavelength) {
  entry.answer = null;
  entry.waiting = true;
  showList();
  entry.answer = (await isReadable(entry.file))
    ? await answerOf(entry.file, wavelength)
    : { state: "refused", reason: "the browser cannot read this; drop files, not folders" };
  entry.waiting = false;
  if (entry.answer.curves?.measured) {
    entry.shown = new Set();
    entry.visible = new Set(["measured"]);
    entry.range = null;
  }
  showList();
  if (current === entry) showResult();
}

async function answerOf(file, wavelength) {
  const query = new URLSearchParams({ name: file.name, wavelength });
  try {
    const response = await fetch(`api/answer?${query}`, {
      method: "POST",
      headers: { "Content-Type": "application/octet-stream" },
      body: file,
    });
    const type = response.headers.get("Content-Type") || "";
    if (type.startsWith("application/json")) return await response.json();
    return { state: "refused", reason: await response.text() };
  } catch (error) {
    return { state: "refused", reason: `the server does not answer (${error.message}); start diffsym serve again` };
  }
}

async function add(files) {
  const room = about.most_files - entries.length;
  const fitting = [...files].slice(0, room);
  const notes = [];
  if (fitting.length < files.length) notes.push(`${files.length - fitting.length} left out: the page holds ${about.most_files} files`);
  const added = [];
  for (const file of fitting) {
    if (file.size > about.largest_file) {
      notes.push(`${file.name} is larger than ${megabytes(about.largest_file)}`);
      continue;
    }
    lastId += 1;
    added.push({ id: lastId, file, answer: null, waiting: true });
  }
  entries.push(...added);
  byId("note").textContent = notes.join("; ");
  if (added.length) select(added[0]);
  for (const entry of added) await ask(entry, "");
}

// --- list of files ----------------------------------------------------------------------------

function stateOf(entry) {
  if (entry.waiting || !entry.answer) return ["waiting", ""];
  const { state } = entry.answer;
  if (state === "ask_wavelength") return ["which wavelength?", "problem"];
  if (state === "refused") return ["not read", "problem"];
  const [first] = entry.answer.answer.ranked;
  return [first ? typeset(first.symbol) : "no answer", ""];
}

function showList() {
  const list = byId("list");
  const focused = document.activeElement?.dataset?.entry;
  list.replaceChildren(...entries.map((entry) => {
    const [state, kind] = stateOf(entry);
    return element("li", {}, element(
      "button",
      { type: "button", "data-entry": String(entry.id), "aria-current": String(entry === current), title: entry.file.name, onclick: () => select(entry) },
      element("span", { class: "name" }, entry.file.name),
      element("span", { class: `state ${kind}` }, state),
    ));
  }));
  if (focused) list.querySelector(`[data-entry="${CSS.escape(focused)}"]`)?.focus();
  byId("remove").hidden = !entries.length;
  byId("downloads").hidden = !entries.some((entry) => entry.answer?.state === "answered");
}

function clear() {
  entries.length = 0;
  byId("note").textContent = "";
  select(null);
}

function select(entry) {
  current = entry;
  showList();
  showResult();
}

// --- answer -----------------------------------------------------------------------------------

function showResult() {
  byId("empty").hidden = current !== null;
  byId("result-title").textContent = current ? current.file.name : "Answer";
  byId("body").replaceChildren(...(current ? resultOf(current) : []));
  if (current?.answer?.curves?.measured) redraw(current);
}

function resultOf(entry) {
  if (!entry.answer) return [element("p", { class: "hint" }, "Reading and comparing …")];
  const { state, reason } = entry.answer;
  if (state === "ask_wavelength") return [...question(entry), ...plotPart(entry)];
  if (state === "refused") return [element("p", { class: "warning", role: "alert" }, sentence(reason))];
  const { ranked, nearest } = entry.answer.answer;
  return [
    ...facts(entry),
    ...plotPart(entry),
    ...(ranked.length ? [groupsTable(entry)] : []),
    ...(nearest.length ? [structuresTable(entry)] : []),
  ];
}

const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

function wavelengthForm(entry) {
  const waiting = entry.answer.state === "ask_wavelength"
    ? entries.filter((one) => one.answer?.state === "ask_wavelength")
    : [];
  const select = element(
    "select",
    {
      id: "wavelength",
      onchange: () => {
        number.closest("label").hidden = select.value !== "other";
        for (const button of buttons) button.disabled = !select.value;
      },
    },
    element("option", { value: "" }, "choose …"),
    ...about.wavelengths.map((name) => element("option", { value: name }, `${name.replace("Ka", " Kα").replace("α1", "α₁ alone")}`)),
    element("option", { value: "other" }, "another one, in Å"),
  );
  const [shortest, longest] = about.wavelength_range;
  const number = element("input", { type: "number", id: "angstrom", min: shortest, max: longest, step: "any", required: true });
  const use = (chosen) => {
    const wavelength = select.value === "other" ? number.value : select.value;
    if (select.value === "other" && !number.reportValidity()) return;
    (async () => { for (const one of chosen) await ask(one, wavelength); })();
  };
  const buttons = [element("button", { type: "button", class: "main", id: "use", disabled: true, onclick: () => use([entry]) }, "Answer")];
  if (waiting.length > 1) {
    buttons.push(element("button", { type: "button", id: "use-all", disabled: true, onclick: () => use(waiting) }, `Answer all ${waiting.length} without one`));
  }
  return element(
    "div",
    { class: "controls" },
    element("label", { for: "wavelength" }, "Wavelength", select),
    element("label", { for: "angstrom", hidden: true }, "In Å", number),
    ...buttons,
  );
}

function question(entry) {
  const warning = "The file does not say with which wavelength it was measured. "
    + "A wrong one gives a wrong answer that may look certain.";
  return [element("p", { class: "warning" }, warning), wavelengthForm(entry)];
}

function fact(value, what, kind = "") {
  return element("div", { class: `fact ${kind}` }, element("span", { class: "value" }, value), element("span", { class: "what" }, what));
}

function facts(entry) {
  const { answer, wavelengths, wavelength_from: from, repairs, scans } = entry.answer;
  const [first] = answer.ranked;
  const told = `${wavelengths.map((one) => one.toFixed(5)).join(" and ")} Å, ${from === "file" ? "as the file says" : "as you say"}`;
  const group = first
    ? element("span", {}, swatch(first.crystal_system), typeset(first.symbol), ` (${first.space_group})`)
    : "none";
  const system = answer.crystal_system
    ? element("span", {}, swatch(answer.crystal_system), answer.crystal_system)
    : "none";
  const set = element("p", { id: "set", hidden: !answer.set_90.length }, element("strong", {}, "90 % set: "));
  if (answer.set_90.length === GROUPS) set.append("every space group");
  else answer.set_90.forEach((one, index) => set.append(index ? ", " : "", typeset(one.symbol), ` (${one.space_group})`));
  set.append(".");
  const parts = [
    element("p", { class: "hint" }, `Measured with ${told}.`),
    element("details", {}, element("summary", {}, "Another wavelength"), wavelengthForm(entry)),
    element(
      "div",
      { class: "facts" },
      fact(answer.certain ? "certain" : "not certain", `certainty ${percent(answer.certainty)}`, `verdict ${answer.certain ? "certain" : ""}`),
      fact(group, "likeliest space group"),
      fact(system, "crystal system"),
      fact(answer.extinction_class || "not determined", "extinction symbol"),
    ),
    element("p", {}, sentence(answer.reason)),
    set,
  ];
  const notes = [...repairs];
  if (scans.length > 1) notes.push(`The file holds ${scans.length} scans; the first was read: ${scans[0]}`);
  if (notes.length) parts.push(element("ul", { class: "repairs", "aria-label": "Repairs" }, ...notes.map((one) => element("li", {}, sentence(one)))));
  return parts;
}

const CURVES = { measured: "as measured", prepared: "without background, noise and second line" };

function plotPart(entry) {
  if (!entry.answer.curves?.measured) return [];
  const { x } = entry.answer.curves.measured;
  const whole = [x[0], x[x.length - 1]];
  entry.range ??= whole;
  const ends = ["from", "to"].map((word, index) => element("input", {
    type: "number", id: `range-${word}`, min: whole[0], max: whole[1], step: "any", value: entry.range[index],
  }));
  const apply = () => {
    const range = ends.map((end) => Number(end.value));
    if (range[0] < range[1]) { entry.range = range; redraw(entry); }
  };
  ends.forEach((end) => end.addEventListener("change", apply));
  const there = Object.entries(CURVES).filter(([kind]) => kind in entry.answer.curves);
  const curves = there.map(([kind, name]) => element(
    "label",
    { class: "check" },
    element("input", {
      type: "checkbox", checked: entry.visible.has(kind), "data-curve": kind,
      onchange: (event) => { toggle(entry.visible, kind, event.target.checked); redraw(entry); },
    }),
    name,
  ));
  return [
    element("h3", {}, "Pattern"),
    svgElement("svg", { class: "plot", id: "plot", role: "img" }),
    element(
      "div",
      { class: "controls" },
      ...curves,
      element("label", { for: "range-from" }, "from 2θ / °", ends[0]),
      element("label", { for: "range-to" }, "to 2θ / °", ends[1]),
      element("button", {
        type: "button",
        onclick: () => { entry.range = whole; ends.forEach((end, index) => { end.value = whole[index]; }); redraw(entry); },
      }, "Whole pattern"),
    ),
  ];
}

function toggle(set, name, on) {
  if (on) set.add(name);
  else set.delete(name);
}

function redraw(entry) {
  const { curves, lines, answer, file } = entry.answer;
  const colours = (answer?.nearest ?? []).map((one, index) => [one.structure_id, OVERLAYS[index % OVERLAYS.length]]);
  drawPlot(byId("plot"), {
    curves: [...entry.visible].map((kind) => ({ ...curves[kind], kind })),
    overlays: colours
      .filter(([name]) => entry.shown.has(name))
      .map(([name, colour]) => ({ lines: lines[name], colour, name })),
    range: entry.range,
    described: `Powder pattern of ${file}`,
  });
}

function headed(caption, columns, rows) {
  const head = columns.map(([name, kind]) => element("th", { scope: "col", class: kind }, name));
  return element(
    "div",
    {},
    element("h3", {}, caption),
    element("div", { class: "scroll" }, element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows))),
  );
}

function groupsTable(entry) {
  const rows = entry.answer.answer.ranked.map((one, index) => element(
    "tr",
    { class: "group" },
    element("td", { class: "numeric optional" }, String(index + 1)),
    element("td", {}, typeset(one.symbol)),
    element("td", { class: "numeric" }, String(one.space_group)),
    element("td", { class: "numeric" }, percent(one.probability)),
    element("td", { class: "optional" }, meter(one.probability, one.crystal_system)),
    element("td", { class: "system" }, swatch(one.crystal_system), one.crystal_system),
  ));
  const columns = [["rank", "numeric optional"], ["space group", ""], ["number", "numeric"], ["probability", "numeric"], ["", "optional"], ["crystal system", ""]];
  const table = headed("Space groups", columns, rows);
  table.id = "groups";
  return table;
}

function structuresTable(entry) {
  const rows = entry.answer.answer.nearest.map((one, index) => {
    const name = one.name ? `${one.name}, ${one.formula}` : one.formula;
    const box = element("input", {
      type: "checkbox", checked: entry.shown.has(one.structure_id), "aria-label": `Show the lines of ${name}, ${one.structure_id}`,
      "data-overlay": one.structure_id,
      onchange: (event) => { toggle(entry.shown, one.structure_id, event.target.checked); redraw(entry); },
    });
    const key = svgElement("svg", { class: "swatch", viewBox: "0 0 13 13", "aria-hidden": "true" });
    key.append(svgElement("line", { x1: 6.5, x2: 6.5, y1: 0, y2: 13, stroke: OVERLAYS[index % OVERLAYS.length], "stroke-width": 4 }));
    return element(
      "tr",
      { class: "structure" },
      element("td", { class: "system" }, key, box),
      element("td", {}, name, element("span", { class: "small" }, one.structure_id)),
      element("td", { class: "system" }, swatch(one.crystal_system), typeset(one.symbol)),
      element("td", { class: "numeric" }, one.score.toFixed(2)),
      element("td", { class: "numeric optional" }, signed(one.zero_shift)),
    );
  });
  const columns = [["lines", ""], ["structure", ""], ["space group", ""], ["score", "numeric"], ["shift / °", "numeric optional"]];
  const table = headed("Nearest known structures", columns, rows);
  table.id = "structures";
  return table;
}

// --- downloads --------------------------------------------------------------------------------

const answered = () => entries.map((entry) => entry.answer).filter((one) => one?.state === "answered");

function asJson() {
  const plain = answered().map(({ file, wavelengths, wavelength_from, scans, repairs, answer }) =>
    ({ file, wavelengths, wavelength_from, scans, ...answer, repairs }));
  return JSON.stringify(plain, null, 1);
}

// A cell that a spreadsheet would take for a formula begins with an apostrophe.
function cell(value) {
  const text = String(value);
  const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function asCsv() {
  const rows = [["file", "rank", "space_group", "symbol", "crystal_system", "probability", "certain", "certainty"]];
  for (const { file, answer } of answered()) {
    answer.ranked.forEach((one, index) => rows.push(
      [file, index + 1, one.space_group, one.symbol, one.crystal_system, one.probability, answer.certain, answer.certainty]));
  }
  return `${rows.map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}

const PRINTED = "body{font:16px sans-serif;color:#1f2933;max-width:60rem;margin:1rem auto;padding:0 1rem}"
  + "td,th{padding:.2rem .8rem .2rem 0;text-align:left;vertical-align:top}";

function asHtml() {
  const page = document.implementation.createHTMLDocument("Space groups of powder patterns");
  const charset = page.createElement("meta");
  charset.setAttribute("charset", "utf-8");
  page.head.prepend(charset);
  for (const entry of entries.filter((one) => one.answer?.state === "answered")) {
    const { answer, repairs } = entry.answer;
    const table = (columns, rows) => element("table", {},
      element("thead", {}, element("tr", {}, ...columns.map((one) => element("th", {}, one)))),
      element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map((one) => element("td", {}, String(one)))))));
    page.body.append(
      element("h1", {}, entry.answer.file),
      element("p", {}, `${answer.certain ? "Certain" : "Not certain"} (${percent(answer.certainty)}): ${answer.reason}. Crystal system: ${answer.crystal_system ?? "none"}.`),
      element("p", {}, `Wavelengths: ${entry.answer.wavelengths.join(" and ")} Å. 90 % set: ${answer.set_90.map((one) => one.symbol).join(", ")}.`),
      ...repairs.map((one) => element("p", {}, sentence(one))),
      table(["space group", "number", "probability", "crystal system"], answer.ranked.map((one) => [one.symbol, one.space_group, percent(one.probability), one.crystal_system])),
      element("h2", {}, "Nearest known structures"),
      table(["structure", "formula", "name", "space group", "score"], answer.nearest.map((one) => [one.structure_id, one.formula, one.name || "", one.symbol, one.score.toFixed(2)])),
    );
  }
  // As text: a document made here is under the rule that this page has no inline style.
  const head = page.head.outerHTML.replace("</head>", `<style>${PRINTED}</style></head>`);
  return `<!doctype html>\n<html lang="en">${head}${page.body.outerHTML}</html>\n`;
}

const FORMATS = { json: [asJson, "application/json"], csv: [asCsv, "text/csv"], html: [asHtml, "text/html"] };

function download(format) {
  const [make, type] = FORMATS[format];
  const address = URL.createObjectURL(new Blob([make()], { type: `${type};charset=utf-8` }));
  element("a", { href: address, download: `diffsym.${format}` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

// --- start ------------------------------------------------------------------------------------

async function start() {
  about = await (await fetch("api/about")).json();
  byId("about").textContent = `Compared with ${about.structures} structures of ${about.study}. Files stay on this machine.`;
  byId("limits").textContent = `At most ${about.most_files} files of ${megabytes(about.largest_file)}.`;
  const input = byId("files");
  input.accept = about.suffixes.join(",");
  input.addEventListener("change", () => { const files = [...input.files]; input.value = ""; add(files); });
  const drop = byId("drop");
  for (const kind of ["dragenter", "dragover"]) {
    document.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
  }
  for (const kind of ["dragleave", "drop"]) document.addEventListener(kind, () => drop.classList.remove("over"));
  document.addEventListener("drop", (event) => { event.preventDefault(); add([...event.dataTransfer.files]); });
  for (const button of document.querySelectorAll("[data-format]")) {
    button.addEventListener("click", () => download(button.dataset.format));
  }
  byId("clear").addEventListener("click", clear);
  new ResizeObserver(() => { if (byId("plot")) redraw(current); }).observe(byId("result"));
  document.body.dataset.ready = "true";
}

start();
