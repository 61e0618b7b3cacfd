// Who is enrolled: looked for, and paged through. One of them is shown by identity.js.

import { h, put, field, select } from "./dom.js";
import { get, inGallery, knows } from "./api.js";
import { load } from "./notice.js";
import { may } from "./access.js";
import { paged } from "./paging.js";
import { portrait } from "./pictures.js";
import { address } from "./places.js";
import { count, plural, time } from "./format.js";
import { showIdentity } from "./identity.js";

export default async function identities(root, here) {
  if (here.rest[0]) return showIdentity(root, here);
  const { gallery, signal, query } = here;
  const [canFilter, summary] = await Promise.all([knows("LabelPrefix:"), get(inGallery(gallery), {}, { signal })]);
  const found = h("div");
  const search = h(
    "input",
    { type: "search", value: query.get("q") ?? "", placeholder: "Name or start of label", autocomplete: "off" },
  );
  const named = select([["", "All"], ["true", "Named"], ["false", "Unnamed"]], query.get("labelled") ?? "");
  const sort = select(
    [["created", "First enrolled first"], ["name", "By name"], ["label", "By label"], ["last_seen", "Seen last first"]],
    query.get("sort") ?? "created",
  );
  const go = () => {
    const wanted = { q: search.value.trim(), ...(canFilter ? { labelled: named.value, sort: sort.value } : {}) };
    location.hash = address(
      "identities",
      [],
      gallery,
      Object.fromEntries(Object.entries(wanted).filter(([, one]) => one && one !== "created")),
    );
  };
  put(root,
    h("div", { class: "head" },
      h("div", { class: "lead" }, h("h1", {}, "Identities"),
        h(
          "p",
          {},
          `${plural(
            summary.identities,
            "identity",
            "identities",
          )}, ${plural(summary.sightings, "sighting")}, ${plural(summary.images, "picture")} in ${summary.label ?? gallery}`,
        )),
      may("group") && h("a", { class: "button", href: address("groups") }, "Name unknowns"),
      h("a", { class: "button", href: address("corrections") }, "Corrections")),
    h("form", { class: "row end", role: "search", on: { submit: (event) => { event.preventDefault(); go(); } } },
      field("Find", search),
      canFilter && field("Labels", named),
      canFilter && field("Order", sort),
      h("button", {}, "Find")),
    found);
  for (const control of [named, sort]) control.addEventListener("change", go);
  const wanted = search.value.trim();
  const draw = (items) => cards(gallery, items);
  const where = inGallery(gallery, "identities");
  const filter = canFilter ? { labelled: named.value, sort: sort.value } : {};
  if (!wanted) {
    put(
      found,
      paged(where, filter, signal, draw, { empty: `Nobody is enrolled yet.${may("enrol") ? " Ask about a picture, then enrol it." : ""}` }),
    );
  } else {
    put(found, h("div", { class: "stack" }, exact(gallery, wanted, signal),
      canFilter ? paged(
        where,
        { ...filter, label_prefix: wanted },
        signal,
        draw,
        { empty: `No label begins with “${wanted}”.` },
      )
        : scan(where, wanted, signal, draw)));
  }
  return undefined;
}

function cards(gallery, items) {
  return h("ul", { class: "grid" }, items.map((one) => h("li", {},
    h("a", { class: "card person", href: address("identities", [one.id]) },
      portrait(gallery, one.id, { label: one.label ?? one.id }),
      h(
        "div",
        { class: "row" },
        h("strong", {}, one.label ?? one.id),
        one.watchlist && h("span", { class: "pill bad" }, "watchlist"),
      ),
      h(
        "p",
        { class: "hint" },
        [
          one.label && one.id,
          plural(one.sightings, "sighting"),
          one.last_seen && `last ${time(one.last_seen)}`,
        ].filter(Boolean).join(" · "),
      )))));
}

/** The one of exactly this name. */
function exact(gallery, name, signal) {
  const place = h("div");
  load(place, signal, async () => {
    try {
      return cards(gallery, [await get(inGallery(gallery, "identities", name), {}, { signal })]);
    } catch (error) {
      if (error.status !== 404) throw error;
      return h("p", { class: "hint" }, `No identity is named exactly “${name}”.`);
    }
  });
  return place;
}

/** Looks through the pages, for servers that cannot filter; it stops when there is enough to look at. */
function scan(where, wanted, signal, draw) {
  const [results, state] = [h("div"), h("p", { class: "hint", role: "status" })];
  const more = h("button", { hidden: true, on: { click: () => go() } }, "Look further");
  const word = wanted.toLowerCase();
  let cursor = "";
  let seen = 0;
  const found = [];
  async function go() {
    more.hidden = true;
    for (let pages = 0; pages < 10; pages += 1) {
      const page = await get(where, { limit: 1000, cursor }, { signal });
      seen += page.items.length;
      found.push(
        ...page.items.filter(
          (one) => one.id !== wanted && `${one.id}\n${one.label ?? ""}`.toLowerCase().includes(word)
        )
      );
      cursor = page.next;
      state.textContent = `${plural(
        found.length,
        "more identity",
        "more identities",
      )} with “${wanted}” among ${count(seen)}`;
      if (!cursor || found.length >= 48) break;
    }
    more.hidden = !cursor;
    put(results, draw(found.slice(0, 480)));
  }
  const place = h("div");
  load(place, signal, async () => {
    await go();
    return h("div", { class: "stack" }, state, results, more);
  });
  return place;
}
