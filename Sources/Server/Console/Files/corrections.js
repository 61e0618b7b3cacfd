// What was renamed, merged, split, moved and told apart, the last first, and its undoing.

import { h, put } from "./dom.js";
import { inGallery, path, post } from "./api.js";
import { act } from "./notice.js";
import { lacking, may } from "./access.js";
import { paged } from "./paging.js";
import { address } from "./places.js";
import { plural, time } from "./format.js";

export default async function corrections(root, { gallery, signal }) {
  const list = paged(inGallery(gallery, "corrections"), { order: "desc" }, signal, (items) => h("div", { class: "scroll" }, h("table", {},
    h("thead", {}, h("tr", {}, ["What", "Of", "When"].map((name) => h("th", { scope: "col" }, name)), h("td"))),
    h("tbody", {}, items.map((one) => row(gallery, one, () => list.reload()))))), { empty: "Nothing was corrected.", label: "Pages of corrections" });
  put(root,
    h("div", { class: "lead" }, h("p", {}, h("a", { href: address("identities") }, "← Identities")), h("h1", {}, "Corrections"),
      h("p", {}, "The last 10 000. Each can be undone, the last one of a sighting or a name first.")),
    lacking({ undo: "undo" }),
    h("section", { class: "card" }, list));
}

const words = { move: "moved", rename: "renamed", merge: "merged", split: "split", distinguish: "told apart" };

function row(gallery, one, redraw) {
  const place = h("div", { class: "place" });
  const button = h("button", { class: "small", on: { click: undo } }, "Undo");
  async function undo() {
    if (await act(button, place, () => post(path("v1/galleries", gallery, "corrections", one.id, "undo")))) redraw();
  }
  return h("tr", {}, h("td", {}, words[one.kind] ?? one.kind),
    h("td", {}, one.identity ? h("a", { href: address("identities", [one.identity]) }, one.identity) : "–", " ",
      one.sightings > 0 && h("span", { class: "hint" }, plural(one.sightings, "sighting"))),
    h("td", {}, time(one.created_at)),
    h("td", {}, one.undone_at ? h("span", { class: "pill" }, `undone ${time(one.undone_at)}`) : may("undo") && button, place));
}
