// When and where: a lane a camera, a point a sighting, and the same as cards by day.

import { h, svg } from "./dom.js";
import { time } from "./format.js";

const moment = (sighting) => new Date(sighting.captured_at ?? sighting.created_at).getTime();

export function timeline(items) {
  const cameras = [...new Set(items.map((one) => one.camera ?? "–"))].sort();
  const times = items.map(moment);
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const [left, right, row] = [90, 980, 28];
  const bottom = row * cameras.length + 6;
  const across = (at) => (
    last > first ? left + 12 + ((at - first) / (last - first)) * (right - left - 24) : (left + right) / 2
  );
  return h("div", { class: "card scroll" }, svg("svg", { class: "lanes", viewBox: `0 0 1000 ${bottom + 22}`, role: "group", "aria-label": "Sightings by camera and time" },
    cameras.map((camera, index) => {
      const y = row * index + 18;
      return [
        svg("text", { x: 0, y: y + 4 }, camera === "–" ? "no camera" : `${camera}`.slice(0, 13)),
        svg("line", { x1: left, x2: right, y1: y, y2: y }),
      ];
    }),
    items.map((one) => svg("a", { href: `#s-${one.id}`, "aria-label": `${one.camera ?? "no camera"}, ${time(one.captured_at ?? one.created_at)}`, on: { click: (event) => show(event, one.id) } },
      svg(
        "circle",
        { cx: across(moment(one)), cy: row * cameras.indexOf(one.camera ?? "–") + 18, r: 7 },
        svg("title", {}, time(one.captured_at ?? one.created_at)),
      ))),
    svg(
      "text",
      { x: left, y: bottom + 16 },
      new Date(first).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }),
    ),
    last > first && svg(
      "text",
      { x: right, y: bottom + 16, "text-anchor": "end" },
      new Date(last).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }),
    )));
}

/** Goes to a card; the address stays that of the view. */
function show(event, id) {
  event.preventDefault();
  const card = document.getElementById(`s-${id}`);
  card?.scrollIntoView({ block: "center" });
  card?.querySelector("input")?.focus({ preventScroll: true });
}

export function byDay(items, draw) {
  const days = Map.groupBy(
    [...items].sort((a, b) => moment(a) - moment(b)),
    (one) => new Date(moment(one)).toLocaleDateString([], { dateStyle: "full" }),
  );
  return [...days].map(
    ([day, some]) => h("section", {}, h("h2", { class: "day" }, day), h("ul", { class: "grid" }, some.map(draw)))
  );
}
