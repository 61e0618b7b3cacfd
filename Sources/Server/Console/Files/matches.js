// The ranked answers to a query, and what is done with them.

import { h, put, field, uniqueID } from "./dom.js";
import { inGallery, path, post } from "./api.js";
import { askText } from "./dialog.js";
import { correct, distinctions, identityNames, tellApart } from "./correct.js";
import { act, toast } from "./notice.js";
import { lacking, may } from "./access.js";
import { triple } from "./pictures.js";
import { address } from "./places.js";
import { modalityNames, ordered, plural, score, time } from "./format.js";

/** Answers as they stand, judged anew whenever a slider moves; what was refused stays refused. Of an enrolled sighting that is kept
    at once, of images when they are enrolled. */
export class Results {
  constructor(subject, gallery, answer, threshold, again) {
    Object.assign(this, { subject, gallery, answer, again, from: beginning(answer.matches) });
    this.refused = new Set();
    this.threshold = slider("Least score", -1, 1, threshold ?? 0, () => this.judge());
    this.margin = slider("Least lead over the next", 0, 0.5, 0, () => this.judge());
    this.verdict = h("div", { class: "verdict", role: "status" });
    this.list = h("ol", { class: "matches" });
    const { modalities, timing } = answer;
    const compared = modalities.includes("text") ? ["text"] : ordered(modalities).map((one) => modalityNames[one]);
    const spent = timing.decode_ms + timing.encode_ms + timing.search_ms;
    this.element = h("div", { class: "stack" },
      h("section", { class: "card", "aria-label": "Judgement" }, h("div", { class: "sliders" }, this.threshold.element, this.margin.element),
        h("p", { class: "hint" }, `Compared by ${compared.join(", ").toLowerCase()}; found in ${Math.round(spent)} ms.`,
          answer.incomparable ? ` ${plural(answer.incomparable, "sighting")} had nothing in common with it.` : "",
          this.from ? ` Bars begin at ${score(this.from)}.` : "",
          answer.isMerged ? " This server takes one picture set at a time, so the best score of each counts." : "")),
      this.verdict, this.subject.sighting ? lacking({ move: "move it to an identity" }) : lacking({ enrol: "enrol it" }), this.list);
    this.judge();
    this.recall();
  }

  /** Refuses whom a sighting's identity was told apart from. */
  async recall() {
    const { sighting } = this.subject;
    if (!sighting) return;
    const known = await distinctions(this.gallery, sighting.identity).catch(() => []);
    this.refused = new Set(known.map((one) => one.identity));
    this.judge();
  }

  /** Whether what was asked about can be put under an identity. */
  get canPut() {
    return may(this.subject.sighting ? "move" : "enrol");
  }

  judge() {
    const left = this.answer.matches.filter((one) => !this.refused.has(one.identity));
    const [first, next] = [left[0], left.find((one) => one.identity !== left[0]?.identity)];
    const [least, lead] = [this.threshold.value, this.margin.value];
    const isKnown = first && first.score >= least;
    const isClear = !next || next.score < least || first.score - next.score >= lead;
    const words = !first ? "Nothing was found." : !isKnown ? `Unknown: the best score, ${score(first.score)}, is below ${score(least)}.`
      : isClear ? ["This is ", h("strong", {}, first.label ?? first.identity), `, by a score of ${score(first.score)}.`]
        : `Undecided: ${first.label ?? first.identity} and ${next.label ?? next.identity} are within ${score(lead)} of each other.`;
    this.verdict.className = `verdict ${isKnown && isClear ? "known" : "unknown"}`;
    put(
      this.verdict,
      h("p", {}, words),
      this.canPut && h("button", { on: { click: () => this.enrolAs("") } }, this.subject.sighting ? "Move to …" : "Enrol as …"),
    );
    this.draw(least);
  }

  draw(least) {
    const items = this.answer.matches.map((match, index) => [match, this.item(match, index + 1, match.score < least)]);
    const cut = items.findIndex(([match]) => match.score < least);
    const rows = items.map(([, element]) => element);
    if (cut >= 0) rows.splice(cut, 0, h("li", { class: "cut" }, `below ${score(least)}`));
    put(this.list, rows);
  }

  item(match, rank, isBelow) {
    const gallery = match.gallery ?? this.gallery;
    const isRefused = this.refused.has(match.identity);
    const name = match.label ?? match.identity;
    const state = isRefused ? "refused" : isBelow ? "below" : "";
    const place = h("div", { class: "place" });
    return h("li", { class: `card match ${state}` },
      h("div", { class: "stack" },
        h("div", { class: "row" }, h("span", { class: "rank" }, `${rank}.`),
          h("a", { href: address("identities", [match.identity], gallery) }, h("strong", {}, name)),
          match.label && h("span", { class: "hint" }, match.identity),
          match.gallery && h("span", { class: "pill" }, match.gallery),
          isRefused && h("span", { class: "pill bad" }, "not the same")),
        triple(gallery, { id: match.sighting, identity: match.identity }, { label: name }),
        h("div", { class: "row" },
          this.canPut && h(
            "button",
            { class: "small", "aria-label": `Same as ${name}`, on: { click: () => this.enrolAs(match.identity) } },
            "Same",
          ),
          h(
            "button",
            {
              class: "small",
              "aria-pressed": String(isRefused),
              "aria-label": `Not the same as ${name}`,
              on: { click: (event) => this.refuse(match, event.currentTarget, place) },
            },
            "Not the same",
          ),
          h(
            "a",
            {
              class: "button small",
              href: address("query", [], gallery, { identity: match.identity, sighting: match.sighting }),
            },
            "More like it",
          )),
        isRefused && !this.subject.sighting && may("enrol") && h("p", { class: "hint" }, "Kept once the pictures are enrolled."),
        place),
      h("div", { class: "stack" }, bars(match, this.from),
        h(
          "p",
          { class: "hint" },
          [
            match.camera && `camera ${match.camera}`,
            match.captured_at && time(match.captured_at),
            match.counted && `mean of ${plural(match.counted, "sighting")}`,
          ].filter(Boolean).join(" · "),
        )));
  }

  async refuse({ identity, gallery = this.gallery }, button, place) {
    const { sighting } = this.subject;
    if (sighting && gallery === this.gallery && sighting.identity !== identity && may("distinguish")) {
      const isDone = await act(button, place, () => this.tell(sighting.identity, identity));
      if (!isDone) return;
    }
    if (!this.refused.delete(identity)) this.refused.add(identity);
    this.judge();
  }

  /** Says that two identities are not the same, or takes it back. */
  async tell(identity, other) {
    if (!this.refused.has(other)) return tellApart(this.gallery, identity, [other], `${other} is not ${identity}.`);
    const known = (await distinctions(this.gallery, identity)).find((one) => one.identity === other);
    if (known?.correction) await post(path(inGallery(this.gallery, "corrections"), known.correction, "undo"));
    return true;
  }

  /** Puts what was asked about under an identity: a sighting is moved there, images are enrolled. */
  async enrolAs(identity) {
    const { subject, gallery } = this;
    const camera = h("input", { type: "text", maxlength: 128, autocomplete: "off" });
    const suggestions = identityNames(gallery);
    if (subject.sighting) {
      const { identity: from, id } = subject.sighting;
      await correct({ gallery, title: "Move this sighting", verb: "Move it", label: "To the identity", value: identity, suggestions,
        work: async (to) => [
          await post(inGallery(gallery, "identities", from, "sightings", id, "move"), { identity: to }),
        ],
        done: (to) => `Moved to ${to}.`});
      return;
    }
    await askText({
      title: identity ? "Enrol here" : "Enrol", verb: "Enrol", label: "Identity", value: identity, suggestions,
      hint: `${plural(
        subject.filled.length,
        "set of pictures",
        "sets of pictures",
      )} will be enrolled; the identity is made if it is new.`,
      more: [field("Camera (optional)", camera, { draft: "enrol.camera" })],
      work: async (to, signal) => {
        await subject.enrol(gallery, to, camera.value.trim() ? { camera: camera.value.trim() } : {}, signal);
        const others = this.answer.matches.filter((one) => (one.gallery ?? gallery) === gallery).map((one) => one.identity);
        const apart = new Set(others.filter((one) => this.refused.has(one) && one !== to));
        if (apart.size) {
          await tellApart(gallery, to, apart, `Enrolled as ${to}, which is not ${[...apart].join(" or ")}.`);
        } else toast(`Enrolled as ${to}.`);
      },
    });
  }
}

/** Where bars begin: at 0, unless all scores are so near to each other that nobody could tell them apart from there. */
function beginning(matches) {
  const all = matches.flatMap((one) => [one.score, ...Object.values(one.by_modality ?? {}), ...(one.by_exemplar ?? [])]);
  const least = Math.min(...all.filter((value) => value !== null));
  return least > 0.6 && least < 2 ? Math.floor(least * 20 - 1) / 20 : 0;
}

/** The score as a bar from `from` to 1, and beside it what each modality alone says. */
function bars(match, from) {
  const row = (name, value, colour) => [h("span", {}, name),
    h(
      "span",
      { class: "bar", vars: { share: `${Math.max(0, Math.min(1, (value - from) / (1 - from))) * 100}%`, colour: `var(--${colour})` } },
    ),
    h("output", {}, score(value))];
  const alone = ordered(Object.keys(match.by_modality ?? {}));
  const each = match.by_exemplar?.length > 1 ? match.by_exemplar : [];
  return h("div", { class: "bars" }, row("All", match.score, "accent"),
    alone.length > 1 && alone.map((one) => row(modalityNames[one], match.by_modality[one], one)),
    each.map((value, index) => value !== null && row(`Picture ${index + 1}`, value, "soft")));
}

function slider(label, min, max, value, onInput) {
  const output = h("output");
  const input = h("input", { type: "range", min, max, step: 0.001, value, on: { input: show } });
  input.id = uniqueID("slider");
  const element = h("div", { class: "field" }, h("label", { for: input.id }, `${label}: `, output), input);
  function show() {
    output.textContent = score(Number(input.value));
    onInput();
  }
  output.textContent = score(Number(input.value));
  return { element, get value() { return Number(input.value); } };
}
