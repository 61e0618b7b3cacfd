// Who is this?

import { h, put, field, select, tick } from "./dom.js";
import { get, inGallery, knows } from "./api.js";
import { act } from "./notice.js";
import { may } from "./access.js";
import { filters } from "./filters.js";
import { Subject } from "./subject.js";
import { Results } from "./matches.js";
import { modalities } from "./format.js";

const subject = new Subject();
let last = null; // What was found, shown again when the reader comes back.

export default async function query(root, { gallery, query: given, signal }) {
  const [canCombine, canSpan] = await Promise.all([knows("by_exemplar"), knows("/v1/queries:")]);
  await subject.choose(gallery, given.get("identity"), given.get("sighting"));
  const found = h("div", { class: "stack", "aria-live": "polite" });
  const place = h("div", { class: "place" });
  const filter = filters(gallery, signal);
  const limit = h("input", { type: "number", min: 1, max: 100, value: 10, required: true });
  const group = select([["identity", "Identities, by their best sighting"], ["sighting", "Sightings"]], "identity");
  const rerank = h("input", { type: "checkbox" });
  const score = select(
    [
      ["best", "Its best sighting"],
      ["per_camera", "The best of each camera, on average"],
      ["3", "Its best three, on average"],
    ],
    "best",
  );
  const combine = select([["mean", "On average"], ["best", "By the best of them"]], "mean");
  const others = canSpan ? await galleryPicker(gallery) : null;
  // The pictures can only be in one place: whoever has left the view must not take them along.
  if (signal.aborted) return;
  const go = h("button", { class: "primary", type: "submit" }, "Find");
  const form = h("form", { class: "stack", novalidate: true, on: { submit } },
    h("section", { class: "card", "aria-label": "What is asked about" },
      subject.element,
      h("details", {}, h("summary", {}, "Filters"), filter.element),
      h("details", {}, h("summary", {}, "Options"), h("div", { class: "stack" },
        field("Answers", limit, { draft: "query.limit" }), field("Rank", group, { draft: "query.group" }),
        canCombine && field("An identity scores as", score, { draft: "query.score" }),
        canCombine && field("Several pictures count", combine, { draft: "query.combine" }),
        tick("Rank anew by what neighbours have in common", rerank), others?.element)),
      h("div", { class: "row" }, go), place));
  put(root,
    h("div", { class: "head" }, h("div", { class: "lead" }, h("h1", {}, "Who is this?"),
      h(
        "p",
        {},
        "Put in a visible, near-infrared and thermal picture, or any of them; a strip of the three is cut by itself.",
      ))),
    h("div", { class: "asking" }, form, found));

  function options() {
    const mean = score.value === "3" ? { mean_of_best: 3 } : score.value;
    const wanted = filter.read();
    return {
      limit: Number(limit.value), group_by: group.value, by_modality: true, ...(rerank.checked ? { rerank: true } : {}),
      ...(canCombine && score.value !== "best" ? { score: mean } : {}),
      ...(canCombine && subject.filled.length > 1 ? { combine: combine.value } : {}),
      ...(Object.keys(wanted).length ? { filter: wanted } : {}),
    };
  }

  async function submit(event) {
    event?.preventDefault();
    if (subject.isEmpty) {
      put(place, h("p", { class: "wrong", role: "alert" }, "Put in at least one picture."));
      return;
    }
    if (!form.reportValidity()) return;
    const answer = await act(go, place, async (stop) => {
      try {
        return await subject.query(gallery, options(), { galleries: others?.read(), canCombine, signal: stop });
      } catch (error) {
        if ("status" in error) subject.blame(error);
        throw error.name === "AbortError" || "status" in error ? error : Object.assign(
          error,
          { status: 400, type: "", instance: "" },
        );
      }
    });
    if (!answer || signal.aborted) return;
    last = new Results(subject, gallery, answer, await thresholds(gallery, answer), submit);
    put(found, last.element);
    // On a phone they are below what was asked.
    if (found.getBoundingClientRect().top > 0.6 * innerHeight) found.scrollIntoView();
  }

  addEventListener("corrected", () => last?.recall(), { signal });
  if (subject.sighting) submit();
  else put(found, last?.gallery === gallery ? last.element : introduction());
}

function introduction() {
  return h("section", { class: "card" }, h("h2", {}, "Answers appear here"),
    h(
      "p",
      { class: "hint" },
      `Each with the pictures that were enrolled, its score, and what each modality alone would have said.${
        may("enrol") ? " From there the pictures can be enrolled, under a known identity or a new one." : ""}`,
    ));
}

/** The gallery's threshold for the modalities that were compared, if it has one. */
async function thresholds(gallery, answer) {
  const known = await get(inGallery(gallery, "thresholds")).catch(() => ({ items: [] }));
  const name = (some) => modalities.filter((one) => some.includes(one)).join();
  return known.items.find(
    (one) => one.model === answer.model && !one.stale && name(one.modalities) === name(answer.modalities)
  )?.threshold;
}

/** More galleries to be searched together with this one. */
async function galleryPicker(gallery) {
  const page = await get("v1/galleries", { limit: 100 }).catch(() => ({ items: [] }));
  const boxes = page.items.filter((one) => one.name !== gallery).map(
    (one) => [one.name, h("input", { type: "checkbox" })]
  );
  const chosen = () => boxes.filter(([, box]) => box.checked).map(([name]) => name).slice(0, 15);
  return {
    element: boxes.length ? h(
      "fieldset",
      {},
      h("legend", {}, "Search these galleries too"),
      boxes.map(([name, box]) => tick(name, box)),
    ) : null,
    read: () => (chosen().length ? [gallery, ...chosen()] : undefined),
  };
}
