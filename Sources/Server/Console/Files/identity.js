// One identity: what is known of it, when and where it was seen, and what can be corrected.

import { h, put, tick } from "./dom.js";
import { get, inGallery, patch, path as pathOf, post } from "./api.js";
import { act, load, toast } from "./notice.js";
import { lacking, may } from "./access.js";
import { ask } from "./dialog.js";
import { corrected, distinctions, tellApart } from "./correct.js";
import { actions } from "./person.js";
import { paged } from "./paging.js";
import { portrait, triple } from "./pictures.js";
import { address } from "./places.js";
import { timeline, byDay } from "./timeline.js";
import { plural, score, time } from "./format.js";

export async function showIdentity(root, { gallery, rest: [name], signal }) {
  const where = inGallery(gallery, "identities", name);
  const one = await get(where, {}, { signal });
  const mine = location.hash;
  const redraw = () => showIdentity(root, { gallery, rest: [name], signal }).catch((error) => {
    if (error.name === "AbortError") return;
    if (error.status !== 404) throw error;
    // It is no more, unless the reader went to what it is now.
    if (location.hash === mine) location.hash = address("identities");
  });
  addEventListener("corrected", redraw, { once: true, signal });
  const chosen = new Set();
  const selection = h("div", { class: "card sticky row", hidden: true });
  const path = (...more) => inGallery(gallery, "identities", name, ...more);

  const place = h("div", { class: "place" });
  const watch = h("input", { type: "checkbox", checked: one.watchlist, disabled: !may("label"), on: { change: async () => {
    const isDone = await act(watch, place, () => patch(where, { watchlist: watch.checked }));
    if (isDone) toast(watch.checked ? "On the watchlist: Live marks it whenever it is recognised." : "Off the watchlist.");
    else watch.checked = !watch.checked;
  } } });
  const can = actions(gallery, one, redraw);

  function select(sighting, isChosen) {
    if (isChosen) chosen.add(sighting.id);
    else chosen.delete(sighting.id);
    selection.hidden = chosen.size === 0;
    put(selection, h("strong", {}, `${plural(chosen.size, "sighting")} chosen`),
      may("split") && h("button", { on: { click: () => can.split([...chosen]) } }, "Make a new identity"),
      may("move") && h("button", { on: { click: () => can.move([...chosen]) } }, "Move to …"),
      may("eraseSighting") && h("button", { on: { click: () => can.erase([...chosen]) } }, "Erase …"));
  }

  put(root,
    h("div", { class: "head" },
      h("div", { class: "lead" }, h("p", {}, h("a", { href: address("identities") }, "← Identities")), h("h1", {}, one.label ?? name),
        h(
          "p",
          {},
          [
            one.label && name,
            plural(one.sightings, "sighting"),
            `since ${time(one.created_at)}`,
          ].filter(Boolean).join(" · "),
        ))),
    h("div", { class: "row" }, tick("Watchlist", watch),
      may("label") && h("button", { on: { click: can.relabel } }, one.label ? "Change label" : "Give a label"),
      may("rename") && h("button", { on: { click: can.rename } }, "Rename"),
      may("merge") && h("button", { on: { click: can.merge } }, "Merge into …"),
      may("erase") && h("button", { on: { click: () => can.erase(null) } }, "Erase …")),
    lacking({ label: "label and watch", rename: "rename", merge: "merge", split: "split", distinguish: "tell apart", erase: "erase" }),
    place,
    Object.keys(one.metadata).length > 0 && h(
      "dl",
      { class: "facts" },
      Object.entries(one.metadata).map(([key, value]) => h("div", {}, h("dt", {}, key), h("dd", {}, `${value}`))),
    ),
    paged(path("sightings"), {}, signal, (items) => h("div", { class: "stack" }, timeline(items),
      byDay(items, (sighting) => seen(gallery, sighting, one, select))), { empty: "No sightings are left.", limit: 60 }),
    selection, similar(gallery, one, signal), apart(gallery, one, signal));
}

const canChoose = () => may("split") || may("move") || may("eraseSighting");

function seen(gallery, sighting, identity, select) {
  const box = h("input", { type: "checkbox", on: { change: () => {
    select(sighting, box.checked);
    card.classList.toggle("chosen", box.checked);
  } } });
  const words = [sighting.camera ? `camera ${sighting.camera}` : "no camera", time(sighting.captured_at)].join(", ");
  const card = h("li", { class: "card seen", id: `s-${sighting.id}` },
    triple(gallery, sighting, { label: identity.label ?? identity.id }),
    h("div", { class: "row" }, canChoose() ? tick(words, box) : h("span", { class: "when-where" }, words), h("span", { class: "gap" }),
      h(
        "a",
        {
          class: "button small",
          href: address("query", [], gallery, { identity: identity.id, sighting: sighting.id }),
          "aria-label": `Find more like the one by ${words}`,
        },
        "Find more",
      )));
  return card;
}

/** Others that may be the same. */
function similar(gallery, one, signal) {
  const place = h("div");
  load(place, signal, async () => {
    const { items } = await get(inGallery(gallery, "identities", one.id, "similar"), { limit: 6 }, { signal });
    if (!items.length) return h("p", { class: "empty" }, "Nobody else is enrolled.");
    return h("ul", { class: "grid" }, items.map((other) => candidate(gallery, one, other)));
  });
  return h("section", { class: "card" }, h("h2", {}, "Who may be the same"), place);
}

function candidate(gallery, one, other) {
  const place = h("div", { class: "place" });
  const refuse = h("button", { class: "small", "aria-label": `${other.identity} is not the same`, on: { click: () =>
    act(refuse, place, () => tellApart(gallery, one.id, [other.identity], `${other.identity} is not ${one.id}.`)) } }, "Not the same");
  return h("li", { class: "card seen" },
    triple(gallery, { id: other.sighting, identity: other.identity }, { label: other.label ?? other.identity }),
    h("div", { class: "row" }, h("a", { href: address("identities", [other.identity]) }, other.label ?? other.identity),
      h("span", { class: "hint" }, `score ${score(other.score)}`)),
    h("div", { class: "row" },
      may("merge") && h("button", { class: "small", "aria-label": `Merge ${other.identity} into this`, on: { click: () => takeIn(gallery, one, other) } },
        "Same: merge"), may("distinguish") && refuse), place);
}

/** Whom it was told apart from; nothing if there is nobody. */
function apart(gallery, one, signal) {
  const section = h("section", { class: "card", hidden: true }, h("h2", {}, "Not the same as"));
  distinctions(gallery, one.id, { signal }).then((items) => {
    section.hidden = !items.length;
    section.append(h("ul", { class: "names" }, items.map((other) => {
      const place = h("span", { class: "place" });
      const button = h("button", { class: "small", "aria-label": `Take back that ${other.identity} is not the same`, on: { click: async () => {
        const undone = await act(button, place, () => post(pathOf("v1/galleries", gallery, "corrections", other.correction, "undo")));
        if (undone) dispatchEvent(new Event("corrected"));
      } } }, "Take back");
      return h("li", { class: "row" }, h("a", { href: address("identities", [other.identity]) }, other.label ?? other.identity),
        h("span", { class: "hint" }, `since ${time(other.created_at)}`), other.correction && may("undo") && button, place);
    })));
  }, () => {});
  return section;
}

function takeIn(gallery, one, other) {
  return ask({
    title: `Merge ${other.identity} into ${one.id}?`, verb: "Merge",
    contents: [
      h("div", { class: "pair" }, portrait(gallery, one.id), portrait(gallery, other.identity)),
      h("p", { class: "hint" }, "Can be undone."),
    ],
    work: async () => {
      const answer = await post(inGallery(gallery, "identities", one.id, "merge"), { identities: [other.identity] });
      corrected(`Merged ${other.identity} into ${one.id}.`, [answer]);
    },
  });
}
