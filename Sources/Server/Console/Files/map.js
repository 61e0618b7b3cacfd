// A gallery's embeddings on a map: what lies together looks alike to the model.

import { h, put, field, select } from "./dom.js";
import { get, inGallery, knows, post } from "./api.js";
import { act, load } from "./notice.js";
import { lacking, may } from "./access.js";
import { triple } from "./pictures.js";
import { address } from "./places.js";
import { followJob } from "./progress.js";
import { Scatter } from "./scatter.js";
import { modalityNames, ordered, percent, plural, time } from "./format.js";

const colourings = {
  identity: (one) => one.label ?? one.identity,
  camera: (one) => one.camera ?? "no camera",
  modalities: (one) => ordered(one.modalities).map((name) => modalityNames[name]).join(" + "),
};

export default async function map(root, { gallery, signal }) {
  const head = h(
    "div",
    { class: "lead" },
    h("h1", {}, "Map"),
    h("p", {}, "Each point is a sighting; what lies together looks alike to the model."),
  );
  if (!(await knows("/maps/latest"))) {
    put(root, head, h("p", { class: "card" }, "This server makes no maps; a newer one does."));
    return;
  }
  const [place, shown] = [h("div", { class: "place" }), h("div")];
  const make = h("button", { on: { click: begin } }, "Make a new map");
  async function begin() {
    const job = await act(make, place, () => post(inGallery(gallery, "maps"), { samples: 5000 }));
    const ended = job && (await followJob(job, place, signal));
    if (ended?.state !== "succeeded") return;
    put(place);
    redraw();
  }
  const redraw = () => load(shown, signal, async () => {
    try {
      return draw(gallery, await whole(gallery, signal), signal);
    } catch (error) {
      if (error.status !== 404) throw error;
      return h("p", { class: "empty" }, "No map was made yet.");
    }
  });
  put(root, h("div", { class: "head" }, head, may("map") ? make : lacking({ map: "make a map" })), place, shown);
  await redraw();
}

/** All pages of one map. */
async function whole(gallery, signal) {
  let [map, cursor] = [null, ""];
  do {
    const page = await get(inGallery(gallery, "maps", "latest"), { limit: 1000, cursor }, { signal });
    if (map && map.id !== page.id) map = null;
    map = map ? { ...map, items: map.items.concat(page.items) } : page;
    cursor = page.next;
  } while (cursor);
  return map;
}

function draw(gallery, map, signal) {
  const tip = h("div", { class: "map-tip", hidden: true });
  const status = h(
    "p",
    { class: "hint", role: "status" },
    "Point at a sighting to see it; with the keyboard, arrows go from one to the next, + and − zoom, Enter opens.",
  );
  const scatter = new Scatter(map.items, {
    signal,
    onPoint: (one, x, y) => {
      tip.hidden = !one;
      if (!one) return;
      tip.style.setProperty("--x", `${x}px`);
      tip.style.setProperty("--y", `${y}px`);
      const words = [
        one.camera && `camera ${one.camera}`,
        one.captured_at && time(one.captured_at),
      ].filter(Boolean).join(", ");
      const name = one.label ?? one.identity;
      if (tip.dataset.sighting === one.sighting) return;
      tip.dataset.sighting = one.sighting;
      status.textContent = [name, words].filter(Boolean).join(", ");
      put(
        tip,
        triple(gallery, { id: one.sighting, identity: one.identity, modalities: one.modalities }),
        h("strong", {}, name),
        h("span", { class: "hint" }, words),
      );
    },
    onOpen: (one) => { location.hash = address("identities", [one.identity]); },
  });
  const legend = h("p", { class: "row" });
  const by = select(
    [["identity", "identity"], ["camera", "camera"], ["modalities", "what was recorded"]],
    "identity",
    { change: colour },
  );
  function colour() {
    const groups = scatter.colour(colourings[by.value]);
    put(
      legend,
      groups.length <= 12 ? groups.map(
        ([name, colour2]) => h("span", { class: "key", vars: { colour: colour2 } }, name)
      ) : h("span", { class: "hint" }, `${groups.length} colours, so some look alike`),
    );
  }
  colour();
  return h("div", { class: "stack" },
    h(
      "div",
      { class: "row end" },
      field("Colour by", by),
      h("button", { on: { click: () => scatter.zoom(1.5) } }, "Zoom in"),
      h("button", { on: { click: () => scatter.zoom(1 / 1.5) } }, "Zoom out"),
      h("button", { on: { click: () => scatter.reset() } }, "All"),
    ),
    h("div", { class: "map-frame" }, scatter.canvas, tip), status, legend,
    h("p", { class: "hint" }, `${plural(map.items.length, "sighting")} of ${plural(map.identities, "identity", "identities")}, made ${time(map.created_at)}.`,
      map.trustworthiness === undefined ? "" : ` Neighbours on the map are neighbours in truth to ${percent(map.trustworthiness)}.`,
      map.stale ? " Another model answers now." : ""));
}
