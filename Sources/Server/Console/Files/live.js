// What happens, as it happens.

import { h, put, field, select } from "./dom.js";
import { follow } from "./stream.js";
import { wrongBox } from "./notice.js";
import { triple } from "./pictures.js";
import { address } from "./places.js";
import { clock, plural, score } from "./format.js";

const kinds = {
  enrolled: "Enrolled",
  matched: "Recognised",
  new: "New",
  watchlist: "Watchlist",
  erased: "Erased",
  model: "Model",
};
const most = 200;
const kept = new Map(); // by gallery, so that nothing is missed between two visits

export default async function live(root, { gallery, signal }) {
  const memory = kept.get(gallery) ?? { events: [], last: "" };
  kept.set(gallery, memory);
  const [state, list, trouble] = [
    h("span", { role: "status" }),
    h("ol", { class: "events", "aria-label": "Events, the last first" }),
    h("div", { class: "place" }),
  ];
  const kind = select([["", "Everything"], ...Object.entries(kinds)], "", { change: draw });
  const camera = h("select", { on: { change: draw } }, h("option", { value: "" }, "All cameras"));
  let isPaused = false;
  let missed = 0;
  const pause = h("button", { "aria-pressed": "false", on: { click: () => {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    draw();
  } } }, "Pause");
  put(root,
    h("div", { class: "head" }, h("div", { class: "lead" }, h("h1", {}, "Live"), h("p", {}, state)),
      pause),
    h("div", { class: "row end" }, field("Show", kind, { draft: "live.kind" }), field("Camera", camera)), trouble, list);

  function draw() {
    pause.textContent = isPaused ? `Go on${missed ? ` (${missed} new)` : ""}` : "Pause";
    if (isPaused) return;
    missed = 0;
    const cameras = [...new Set(memory.events.map((one) => one.camera).filter(Boolean))].sort();
    for (const name of cameras) if (![...camera.options].some((one) => one.value === name)) camera.append(h("option", {}, name));
    const wanted = memory.events.filter(
      (one) => (!kind.value || one.kind === kind.value) && (!camera.value || one.camera === camera.value)
    );
    const known = new Map([...list.children].map((item) => [item.dataset.id, item]));
    put(list, wanted.length ? wanted.map((one) => known.get(String(one.id)) ?? row(gallery, one))
      : h("li", { class: "empty" }, "Nothing yet. Events appear here as cameras send what they see."));
  }
  draw();
  follow("v1/events", {
    query: { gallery }, signal, last: memory.last,
    onEvent: ({ id, event, data }) => {
      if (id) memory.last = id;
      if (event === "missed") {
        put(trouble, h("p", { class: "hint" },
          "Some events are not kept any more, or the database was restored; the list goes on from here."));
      } else {
        memory.events.unshift({ ...data, kind: event, id });
        memory.events.length = Math.min(memory.events.length, most);
        missed += 1;
        draw();
      }
    },
    onState: (name, detail) => {
      const words = { open: "Following", waiting: `The connection broke. Trying again in ${detail} s; nothing is missed.`, lost: "Not following." }[name];
      put(state, h("span", { class: `dot ${name}` }), ` ${words}`);
      if (name === "lost") put(trouble, wrongBox(detail));
    },
  });
}

function row(gallery, one) {
  const isHit = one.kind === "watchlist";
  const tone = { watchlist: "bad", new: "accent", matched: "good", erased: "warn" }[one.kind] ?? "";
  const pictures = one.sighting && one.identity ? triple(
    gallery,
    { id: one.sighting, identity: one.identity },
  ) : h("span");
  return h("li", { class: `card event ${one.kind}`, "data-id": one.id },
    pictures,
    h("div", {},
      h("div", { class: "row" }, h("span", { class: `pill ${tone}` }, isHit ? "⚑ Watchlist" : kinds[one.kind] ?? one.kind),
        one.identity && h(
          "a",
          { href: address("identities", [one.identity]) },
          h("strong", {}, one.label ?? one.identity),
        ),
        one.score !== undefined && h("span", { class: "hint" }, `score ${score(one.score)}`)),
      h(
        "p",
        { class: "hint" },
        [
          clock(one.at),
          one.camera && `camera ${one.camera}`,
          one.detail && words(one.detail),
        ].filter(Boolean).join(" · "),
      )));
}

function words(detail) {
  if (typeof detail !== "object") return `${detail}`;
  return Object.entries(detail).map(
    ([name, value]) => (Array.isArray(value) ? plural(value.length, name.replace(/s$/, "")) : `${name} ${value}`)
  ).join(", ").slice(0, 200);
}
