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
  toast(words, answers.length > 0 && (() => undo(answers)));
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

/** Whom an identity is not the same as, each with the correction that said so. */
export const distinctions = async (gallery, identity, options) =>
  (await get(inGallery(gallery, "identities", identity, "distinctions"), {}, options)).items;

/** Tells an identity apart from others, a hundred at most, passing over those of which that is known, and says so. */
export async function tellApart(gallery, identity, others, words) {
  const known = new Set((await distinctions(gallery, identity)).map((one) => one.identity));
  const identities = [...others].filter((one) => one !== identity && !known.has(one)).slice(0, 100);
  const answers = identities.length ? [await post(inGallery(gallery, "identities", identity, "distinguish"), { identities })] : [];
  corrected(words, answers);
  return true;
}

/** Names to choose from. */
export const identityNames = (gallery) => async () =>
  (await get(inGallery(gallery, "identities"), { limit: 200 })).items.map((one) => one.id);

