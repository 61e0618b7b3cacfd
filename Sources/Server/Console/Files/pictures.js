// Pictures of sightings, fetched with the key as they come into sight, a few at a time.

import { h, put } from "./dom.js";
import { inGallery, send, get } from "./api.js";
import { modalityNames, ordered } from "./format.js";
import { session } from "./session.js";

const most = 400;
const cache = new Map(); // of addresses, the last used last
const waiting = [];
let running = 0;

session.addEventListener("change", () => {
  for (const entry of cache.values()) entry.then((url) => URL.revokeObjectURL(url), () => {});
  cache.clear();
});

/** The picture at a path, as an address that only this page can use. */
export function pictureURL(where, query) {
  const name = `${where}?${new URLSearchParams(query)}`;
  const known = cache.get(name);
  cache.delete(name);
  const entry = known ?? turn(async () => URL.createObjectURL(await (await send("GET", where, { query })).blob()));
  cache.set(name, entry);
  if (!known) {
    entry.catch(() => cache.delete(name));
    forgetOldest();
  }
  return entry;
}

function forgetOldest() {
  while (cache.size > most) {
    const [name, entry] = cache.entries().next().value;
    cache.delete(name);
    entry.then((url) => URL.revokeObjectURL(url), () => {});
  }
}

function turn(work) {
  return new Promise((resolve, reject) => {
    waiting.push(() => work().then(resolve, reject).finally(() => { running -= 1; next(); }));
    next();
  });
}

function next() {
  while (running < 6 && waiting.length) {
    running += 1;
    waiting.pop()(); // The last asked for is what is in sight.
  }
}

const sight = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    sight.unobserve(entry.target);
    entry.target.whenSeen?.();
  }
}, { rootMargin: "200px" });

/** Has `work` done once an element comes into sight. */
export function whenSeen(element, work) {
  element.whenSeen = work;
  sight.observe(element);
  return element;
}

/** The least of a few widths, so that what is cached is used again, at which a picture fills its frame; more than two pixels a point
    nobody sees. */
function widthFor(frame) {
  const wanted = frame.clientWidth * Math.min(devicePixelRatio, 2);
  return [112, 168, 256, 384, 512].find((one) => one >= wanted) ?? 768;
}

const reasons = { "image-not-found": "no image", "sighting-not-found": "erased or moved", "identity-not-found": "erased or moved" };

/** One picture of a sighting, as wide as it is shown; what stands in its place says why there is none. */
export function picture(gallery, identity, sighting, modality, { label } = {}) {
  const frame = h("span", { class: `picture ${modality}`, title: modalityNames[modality] });
  const alt = `${modalityNames[modality]} picture of ${label ?? identity}`;
  return whenSeen(frame, async () => {
    const where = inGallery(gallery, "identities", identity, "sightings", sighting, "images", modality);
    try {
      const src = await pictureURL(where, { width: widthFor(frame), crop: true });
      const image = h("img", { alt, decoding: "async", src });
      image.addEventListener("load", () => frame.classList.add("shown"));
      frame.replaceChildren(image);
    } catch (error) {
      frame.classList.add("none");
      frame.replaceChildren(h("span", {}, reasons[error.type] ?? "not loaded"));
    }
  });
}

/** All that a sighting shows, in the one order. Of one that is known by name alone, its modalities are asked for first. */
export function triple(gallery, sighting, options) {
  const strip = h("span", { class: "triple" });
  const show = (modalities, identity) => put(strip, modalities.length > 0
    ? ordered(modalities).map((modality) => picture(gallery, identity, sighting.id, modality, options))
    : h("span", { class: "hint" }, "no images"));
  if (sighting.modalities) show(sighting.modalities, sighting.identity);
  else {
    whenSeen(strip, async () => {
      try {
        const found = await get(inGallery(gallery, "identities", sighting.identity, "sightings", sighting.id));
        show(found.modalities, found.identity);
      } catch (error) {
        strip.replaceChildren(h("span", { class: "hint" }, reasons[error.type] ?? "not loaded"));
      }
    });
  }
  return strip;
}

/** An identity by its first sighting. */
export function portrait(gallery, identity, options) {
  const frame = h("span", { class: "portrait" });
  return whenSeen(frame, async () => {
    try {
      const page = await get(inGallery(gallery, "identities", identity, "sightings"), { limit: 1 });
      const [first] = page.items;
      frame.replaceChildren(first ? triple(gallery, first, options) : h("span", { class: "hint" }, "no sightings"));
    } catch (error) {
      frame.replaceChildren(h("span", { class: "hint" }, reasons[error.type] ?? "not loaded"));
    }
  });
}
