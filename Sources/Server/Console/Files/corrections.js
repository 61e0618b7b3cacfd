// What was renamed, merged, split and moved, the last first, and its undoing.

import { h, put } from "./dom.js";
import { get, inGallery, path, post } from "./api.js";
import { act, load } from "./notice.js";
import { address } from "./places.js";
import { plural, time } from "./format.js";

export default async function corrections(root, { gallery, signal }) {
  const list = h("div");
  put(root,
    h("div", { class: "lead" }, h("p", {}, h("a", { href: address("identities") }, "← Identities")), h("h1", {}, "Corrections"),
      h("p", {}, "Each can be undone, the last one of a sighting or a name first.")),
    h("section", { class: "card" }, list));
  const redraw = () => load(list, signal, async () => {
    const items = await last(gallery, signal);
    if (!items.length) return h("p", { class: "empty" }, "Nothing was corrected.");
    return h("div", { class: "scroll" }, h("table", {},
      h("thead", {}, h("tr", {}, ["What", "Of", "When", ""].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, items.map((one) => row(gallery, one, redraw)))));
  });
  await redraw();
}

/** The server gives the first one first, ten thousand at most. */
async function last(gallery, signal) {
  let [items, cursor] = [[], ""];
  do {
    const page = await get(inGallery(gallery, "corrections"), { limit: 1000, cursor }, { signal });
    items = items.concat(page.items).slice(-200);
    cursor = page.next;
  } while (cursor);
  return items.reverse();
}

function row(gallery, one, redraw) {
  const place = h("div", { class: "place" });
  const button = h("button", { class: "small", on: { click: undo } }, "Undo");
  async function undo() {
    if (await act(button, place, () => post(path("v1/galleries", gallery, "corrections", one.id, "undo")))) redraw();
  }
  return h("tr", {}, h("td", {}, one.kind), h("td", {}, one.identity ?? "–", " ", h("span", { class: "hint" }, plural(one.sightings, "sighting"))),
    h("td", {}, time(one.created_at)),
    h("td", {}, one.undone_at ? h("span", { class: "pill" }, `undone ${time(one.undone_at)}`) : button, place));
}
