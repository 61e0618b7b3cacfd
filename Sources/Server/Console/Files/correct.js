// Corrections: each says what it has done, and offers to undo it.

import { get, inGallery, post } from "./api.js";
import { askText } from "./dialog.js";
import { toast } from "./notice.js";

const changed = () => dispatchEvent(new Event("corrected"));

/** Takes corrections back, the last one first, by the paths that their answers gave. */
async function undo(answers) {
  try {
    for (const answer of answers.toReversed()) await post(answer.undo.replace(/^\//, ""));
    toast("Undone.");
    changed();
  } catch (error) {
    toast(`Not undone: ${error.message}.`);
  }
}

/** Says that corrections were made. */
export function corrected(words, answers) {
  toast(words, () => undo(answers));
  changed();
}

/** Asks for a name, corrects, and offers to undo. Gives the name. */
export function correct({ work, done, ...question }) {
  return askText({
    ...question,
    work: async (name, signal) => {
      corrected(done(name), await work(name, signal));
      return name;
    },
  });
}

/** Names to choose from. */
export const identityNames = (gallery) => async () =>
  (await get(inGallery(gallery, "identities"), { limit: 200 })).items.map((one) => one.id);

