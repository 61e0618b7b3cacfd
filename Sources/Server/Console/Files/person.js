// What can be done about an identity: each asks for what it needs, does it, and says so.

import { h } from "./dom.js";
import { inGallery, patch, post, remove } from "./api.js";
import { toast } from "./notice.js";
import { ask, askText } from "./dialog.js";
import { correct, corrected, identityNames } from "./correct.js";
import { address } from "./places.js";
import { plural } from "./format.js";

/** Of the identity `one`; `redraw` shows it anew. */
export function actions(gallery, one, redraw) {
  const name = one.id;
  const path = (...more) => inGallery(gallery, "identities", name, ...more);
  const go = (to) => {
    if (to) location.hash = address("identities", [to]);
  };
  const suggestions = identityNames(gallery);
  return {
    rename: async () => go(await correct({
      title: "Rename",
      verb: "Rename",
      label: "New name",
      value: name,
      done: (to) => `Renamed to ${to}.`,
      work: async (to) => [await post(path("rename"), { identity: to })],
    })),

    relabel: async () => {
      const done = await askText({
        title: "Label",
        verb: "Save",
        label: "Label",
        value: one.label ?? "",
        isOptional: true,
        hint: "Empty: no label.",
        work: (label) => patch(path(), { label: label || null }),
      });
      if (done) redraw();
    },

    merge: async () => go(await correct({
      title: "Merge into another",
      verb: "Merge",
      label: "Into the identity",
      hint: `All sightings of ${name} become its own. Can be undone.`,
      suggestions,
      done: (to) => `Merged into ${to}.`,
      work: async (to) => [await post(inGallery(gallery, "identities", to, "merge"), { identities: [name] })],
    })),

    split: (sightings) => correct({
      title: "Split",
      verb: "Split",
      label: "Name of the new identity",
      done: (to) => `Split into ${to}.`,
      work: async (to) => [await post(path("split"), { sightings, identity: to })],
    }),

    move: (sightings) => correct({
      title: "Move",
      verb: "Move",
      label: "To the identity",
      suggestions,
      done: (to) => `Moved to ${to}.`,
      work: eachOnce(
        sightings,
        (id, to) => post(path("sightings", id, "move"), { identity: to }),
        (answers, to) => corrected(`Only ${plural(answers.length, "sighting")} moved to ${to}.`, answers),
      ),
    }),

    erase: (sightings) => erase(gallery, one, path, sightings, redraw),
  };
}

/** Does something to each sighting. Where one fails, `cut` is told what was done, which is not repeated when it is asked again. */
function eachOnce(sightings, work, cut) {
  const left = [...sightings];
  return async (...given) => {
    const answers = [];
    try {
      for (; left.length; left.shift()) answers.push(await work(left[0], ...given));
    } catch (error) {
      if (answers.length) cut(answers, ...given);
      throw error;
    }
    return answers;
  };
}

/** Erases some sightings, or with null the identity with all of them. */
async function erase(gallery, one, path, sightings, redraw) {
  const what = sightings ? plural(
    sightings.length,
    "sighting",
  ) : `${one.id} and its ${plural(one.sightings, "sighting")}`;
  const done = await ask({
    title: `Erase ${what}?`,
    verb: "Erase",
    isDangerous: true,
    contents: h("p", {}, `This erases ${what} from ${gallery}, with the pictures, the vectors under every model and the events `
      + "that tell of them. It cannot be undone; backups keep what they have."),
    work: sightings ? eachOnce(sightings, (id) => remove(path("sightings", id)), (erased) => {
      toast(`Only ${plural(erased.length, "sighting")} erased.`);
      redraw();
    }) : () => remove(path()),
  });
  if (!done) return;
  toast(`Erased ${what}.`);
  if (sightings) redraw();
  else location.hash = address("identities");
}
