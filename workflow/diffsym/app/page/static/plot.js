// A powder pattern as SVG: curves over the angle, and lines of structures as sticks from the axis.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = { left: 84, right: 14, top: 12, bottom: 48 };
const ROW = 0.11; // share of the height in which the lines of a structure stand

function svgElement(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

// Round numbers of which some `count` lie between two ends.
function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((one) => one >= rough);
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + 1e-9 * step; n += 1) {
    found.push(Number((n * step).toPrecision(10)));
  }
  return found;
}

function shortNumber(value) {
  if (Math.abs(value) >= 1e6) return value.toExponential(0).replace("e+", "e");
  return String(value).replace(/\B(?=(\d{3})+(?!\d|\.))/g, (gap, _, at, whole) =>
    whole.indexOf(".") >= 0 && at > whole.indexOf(".") ? "" : "\u202f");
}

// curves: [{x, y, kind}], overlays: [{lines: [[angle, height]], colour}], range: [low, high].
function drawPlot(svg, { curves, overlays, range, described }) {
  const width = Math.max(svg.clientWidth, 240);
  const height = Math.max(svg.clientHeight, 200);
  const [low, high] = range;
  const inside = curves.map(({ x, y, kind }) => {
    const kept = x.map((angle, index) => [angle, y[index]]).filter(([angle]) => angle >= low && angle <= high);
    return { kept, kind };
  });
  const values = inside.flatMap(({ kept }) => kept.map(([, value]) => value));
  const bottomValue = values.reduce((a, b) => Math.min(a, b), 0);
  const topValue = values.reduce((a, b) => Math.max(a, b), bottomValue + 1e-9);
  const plotHeight = height - MARGIN.top - MARGIN.bottom;
  const stickHeight = Math.min(ROW * overlays.length, 0.5) * plotHeight;
  const left = MARGIN.left;
  const right = width - MARGIN.right;
  const base = height - MARGIN.bottom;
  const foot = base - stickHeight;
  const toX = (angle) => left + ((angle - low) / (high - low)) * (right - left);
  const toY = (value) => foot - ((value - bottomValue) / (topValue - bottomValue)) * (foot - MARGIN.top);

  svg.replaceChildren(svgElement("title", {}, described));
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const across = ticks(low, high, Math.max(Math.floor((right - left) / 55), 2));
  for (const angle of across) {
    svg.append(svgElement("line", { class: "grid", x1: toX(angle), x2: toX(angle), y1: MARGIN.top, y2: base }));
    svg.append(svgElement("text", { x: toX(angle), y: base + 19, "text-anchor": "middle" }, String(angle)));
  }
  for (const value of ticks(bottomValue, topValue, 5)) {
    const y = toY(value);
    svg.append(svgElement("line", { class: "grid", x1: left, x2: right, y1: y, y2: y }));
    svg.append(svgElement("text", { x: left - 7, y: y + 5, "text-anchor": "end" }, shortNumber(value)));
  }
  for (const { kept, kind } of inside) {
    const points = kept.map(([angle, value]) => `${toX(angle).toFixed(1)},${toY(value).toFixed(1)}`);
    svg.append(svgElement("polyline", { class: kind, points: points.join(" ") }));
  }
  overlays.forEach(({ lines, colour, name }, index) => {
    const row = stickHeight / overlays.length;
    const floor = base - row * index;
    const group = svgElement("g", { class: "overlay", "data-name": name });
    for (const [angle, share] of lines) {
      if (angle < low || angle > high) continue;
      const x = toX(angle);
      const tall = Math.max(Math.sqrt(share) * (row - 4), 2);
      group.append(svgElement("line", { class: "stick", stroke: colour, x1: x, x2: x, y1: floor, y2: floor - tall }));
    }
    svg.append(group);
  });
  svg.append(svgElement("path", { class: "axis", d: `M${left} ${MARGIN.top}V${base}H${right}` }));
  svg.append(svgElement("text", { x: (left + right) / 2, y: height - 8, "text-anchor": "middle" }, "2θ / degrees"));
  const middle = (MARGIN.top + foot) / 2;
  svg.append(svgElement("text", {
    x: 14, y: middle, "text-anchor": "middle", transform: `rotate(-90 14 ${middle})`,
  }, "intensity / as in file"));
}
