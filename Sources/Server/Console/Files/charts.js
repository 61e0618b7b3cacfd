// Small charts in SVG; what they show is said in words beside them too.

import { svg } from "./dom.js";

const box = (width, height, label, ...children) =>
  svg("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, children);

/** A share of one as a bar. */
export function gauge(share) {
  return box(240, 14, `${Math.round(100 * share)} %`,
    svg("rect", { width: 240, height: 14, rx: 7, fill: "var(--raised)" }),
    svg("rect", { width: Math.max(240 * share, share > 0 ? 8 : 0), height: 14, rx: 7, fill: "var(--accent)" }));
}

/** Values over time, `null` where there is none. */
export function spark(values, label, colour = "accent") {
  const known = values.filter((value) => value !== null);
  const top = Math.max(...known, 1e-9);
  const points = values.map(
    (value, index) => (
      value === null ? null : [4 + (index * 292) / Math.max(values.length - 1, 1), 62 - (54 * value) / top]
    )
  );
  const pieces = points.reduce((all, point) => {
    if (point) all.at(-1).push(point);
    else all.push([]);
    return all;
  }, [[]]).filter((piece) => piece.length);
  return box(300, 66, label,
    svg("line", { class: "axis", x1: 0, x2: 300, y1: 63, y2: 63, stroke: "var(--line)" }),
    pieces.map((piece) => [
      svg(
        "polygon",
        {
          class: "area",
          fill: `var(--${colour})`,
          points: [[piece[0][0], 63], ...piece, [piece.at(-1)[0], 63]].join(" "),
        },
      ),
      svg("polyline", { class: "line", stroke: `var(--${colour})`, points: piece.join(" ") }),
      piece.length === 1 && svg("circle", { cx: piece[0][0], cy: piece[0][1], r: 3, fill: `var(--${colour})` })]));
}

/** Spans on one scale from -1 to 1: `[name, from, to, colour]`. */
export function ranges(rows) {
  const x = (value) => 80 + ((value + 1) / 2) * 400;
  const label = rows.map(([name, from, to]) => `${name}: ${number(from)} to ${number(to)}`).join("; ");
  return box(600, rows.length * 34 + 18, label,
    [-1, -0.5, 0, 0.5, 1].map(
      (tick) => [
        svg("line", { class: "axis", x1: x(tick), x2: x(tick), y1: 0, y2: rows.length * 34 }),
        svg("text", { x: x(tick), y: rows.length * 34 + 14, "text-anchor": "middle" }, tick),
      ]
    ),
    rows.map(([name, from, to, colour], index) => {
      const y = index * 34 + 16;
      return [svg("text", { x: 0, y: y + 4 }, name), from !== null && to !== null && [
        svg(
          "line",
          {
            x1: x(from),
            x2: x(to),
            y1: y,
            y2: y,
            stroke: `var(--${colour})`,
            "stroke-width": 8,
            "stroke-linecap": "round",
          },
        ),
        svg("text", { x: 500, y: y + 4 }, `${number(from)} → ${number(to)}`)]];
    }));
}

/** Two histograms of the same bins from -1 to 1, each to its own height, and a threshold. */
export function distributions(genuine, impostor, threshold, label) {
  const used = [...genuine.keys()].filter((bin) => genuine[bin] || impostor[bin]);
  const [first, last] = [Math.max(0, Math.min(...used, 99) - 2), Math.min(99, Math.max(...used, 0) + 2)];
  const x = (bin) => 10 + ((bin - first) / (last - first + 1)) * 580;
  const bars = (counts, colour) => {
    const top = Math.max(...counts, 1);
    return counts.map(
      (value, bin) => value > 0 && svg(
        "rect",
        {
          x: x(bin),
          width: Math.max(x(bin + 1) - x(bin) - 1, 1),
          y: 150 - (140 * value) / top,
          height: (140 * value) / top,
          fill: `var(--${colour})`,
          opacity: 0.62,
        },
      )
    );
  };
  const value = (bin) => -1 + bin * 0.02;
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => Math.round(first + share * (last - first + 1)));
  return box(600, 172, label, bars(impostor, "warn"), bars(genuine, "accent"), svg("line", { class: "axis", x1: 10, x2: 590, y1: 150, y2: 150 }),
    ticks.map((bin) => svg("text", { x: x(bin), y: 167, "text-anchor": "middle" }, number(value(bin)))),
    threshold !== undefined && svg(
      "line",
      { class: "mark", x1: x((threshold + 1) / 0.02), x2: x((threshold + 1) / 0.02), y1: 2, y2: 150 },
    ));
}

/** Curves over an axis: `[name, colour, [[x, y], …]]`, y from 0 to 1. */
export function curves(lines, label) {
  const all = lines.flatMap(([, , points]) => points.map(([at]) => at));
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const x = (at) => 40 + ((at - low) / Math.max(high - low, 1e-9)) * 550;
  const y = (share) => 150 - 140 * share;
  return box(600, 172, label,
    [0, 0.5, 1].map(
      (share) => [
        svg("line", { class: "axis", x1: 40, x2: 590, y1: y(share), y2: y(share) }),
        svg("text", { x: 0, y: y(share) + 4 }, `${100 * share} %`),
      ]
    ),
    lines.map(
      ([, colour, points]) => svg(
        "polyline",
        {
          class: "line",
          stroke: `var(--${colour})`,
          points: points.map(([at, share]) => `${x(at)},${y(share)}`).join(" "),
        },
      )
    ),
    [low, (low + high) / 2, high].map((at) => svg("text", { x: x(at), y: 168, "text-anchor": "middle" }, number(at))));
}

const number = (value) => (value === null || value === undefined || !Number.isFinite(value) ? "–" : value.toFixed(2));
