// From which score on a sighting is of a known identity: what is set, and what the gallery itself proposes.

import { h, put, field, forget } from "./dom.js";
import { get, inGallery, post, send } from "./api.js";
import { act, load, toast } from "./notice.js";
import { lacking, may } from "./access.js";
import { curves } from "./charts.js";
import { followJob } from "./progress.js";
import { digest, modalityNames, ordered, percent, score } from "./format.js";

const nameOf = (some) => ordered(some).map((one) => modalityNames[one]).join(" + ");

export default async function thresholds(root, { gallery, signal }) {
  const list = h("section", { class: "card" });
  const form = new Form(gallery);
  const redraw = () => load(list, signal, async () => {
    const [known, { items }] = await Promise.all(
      [get(inGallery(gallery, "thresholds"), {}, { signal }), get("v1/models", { limit: 1000 }, { signal })]
    );
    return form.draw(items.find((one) => one.active), known.items);
  });
  put(root,
    h("div", { class: "lead" }, h("h1", {}, "Thresholds"),
      h("p", {}, "From which score on a sighting is of a known identity. Scores of other sets of pictures are not on one scale, so each set has its own; without one, every sighting of it is unknown.")),
    lacking({ setThresholds: "set them", calibrate: "have some proposed" }), list, may("calibrate") && proposals(gallery, form, signal));
  await redraw();
}

/** A number for each set of the active model's modalities. */
class Form {
  constructor(gallery) {
    this.gallery = gallery;
  }

  draw(model, known) {
    if (!model) return h("p", { class: "empty" }, "No model answers.");
    const place = h("div", { class: "place" });
    const save = h("button", { class: "primary" }, "Save");
    this.inputs = new Map(subsets(ordered(model.modalities)).map((some) => [some.join(), h("input", { type: "number", min: -1, max: 1, step: "any", readonly: !may("setThresholds") })]));
    for (const one of known.filter((one) => one.model === model.model)) this.set(one.modalities, one.threshold);
    const others = known.filter((one) => one.model !== model.model);
    const submit = async (event) => {
      event.preventDefault();
      if (!(await act(save, place, () => this.save(model.model)))) return;
      forget(`thresholds.${this.gallery}.`);
      toast("The thresholds were saved.");
    };
    return h("form", { class: "stack", on: { submit } },
      h("p", { class: "hint" }, "Of the model ", h("code", {}, digest(model.model)), "; where it is empty, there is none.",
        known.some((one) => one.stale && one.model === model.model) ? " They were another model's, and are not used until they are saved." : ""),
      h("div", { class: "grid charts" }, [...this.inputs].map(([some, input]) => field(nameOf(some.split(",")), input, { draft: `thresholds.${this.gallery}.${model.model}.${some}` }))),
      may("setThresholds") && h("div", { class: "row" }, save), place,
      others.length > 0 && h("p", { class: "hint" }, "Kept of other models: ", [...new Set(others.map((one) => digest(one.model)))].join(", "), "."));
  }

  /** Fills in what somebody proposes. */
  set(modalities, threshold) {
    const input = this.inputs?.get(ordered(modalities).join());
    if (!input) return;
    input.value = Number(threshold.toFixed(4));
    input.dispatchEvent(new Event("input"));
  }

  async save(model) {
    const filled = [...this.inputs].filter(([, input]) => input.value !== "");
    const items = filled.map(([some, input]) => ({ modalities: some.split(","), threshold: Number(input.value) }));
    return (await send("PUT", inGallery(this.gallery, "thresholds"), { json: { model, thresholds: items } })).json();
  }
}

/** Every set of some, the largest first. */
function subsets(all) {
  const sets = Array.from({ length: 2 ** all.length - 1 }, (_, index) => all.filter((_, at) => (index + 1) & (1 << at)));
  return sets.sort((a, b) => b.length - a.length);
}

function proposals(gallery, form, signal) {
  const [place, shown] = [h("div", { class: "place" }), h("div")];
  const rate = h("input", { type: "number", min: 0.0001, max: 50, step: "any", value: 1, required: true });
  const samples = h("input", { type: "number", min: 1, max: 100000, value: 2000, required: true });
  const go = h("button", {}, "Propose");
  async function begin(event) {
    event.preventDefault();
    const asked = { false_match_rate: Number(rate.value) / 100, samples: Number(samples.value) };
    const job = await act(go, place, () => post(inGallery(gallery, "calibrations"), asked));
    const ended = job && (await followJob(job, place, signal));
    if (ended?.state !== "succeeded") return;
    put(place);
    put(shown, proposal(ended.result.thresholds.sort((a, b) => b.modalities.length - a.modalities.length), form));
  }
  return h("section", { class: "card stack" }, h("h2", {}, "By what is enrolled"),
    h("p", { class: "hint" }, "Sightings of the gallery are looked for as newcomers and as known. It assumes that what is enrolled is labelled right."),
    h("form", { class: "row end", on: { submit: begin } }, field("Newcomers that may be taken for somebody, in %", rate, { draft: "thresholds.rate" }),
      field("Sightings to look for", samples, { draft: "thresholds.samples" }), go),
    place, shown);
}

function proposal(items, form) {
  const take = h("button", { class: "primary", on: { click: () => {
    for (const one of items) form.set(one.modalities, one.threshold);
    toast("Filled in above: save them to use them.");
  } } }, "Fill in above");
  const between = ([low, high], words) => `${words(low)} – ${words(high)}`;
  return h("div", { class: "stack" },
    h("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": "Proposed thresholds" }, h("table", {},
      h("thead", {}, h("tr", {}, ["Pictures", "Threshold", "95 %", "Newcomers taken", "Known missed", "95 %"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, items.map((one) => h("tr", {}, h("td", {}, nameOf(one.modalities)), h("td", {}, score(one.threshold)),
        h("td", {}, between(one.threshold_interval, score)), h("td", {}, percent(one.false_match_rate)),
        h("td", {}, percent(one.miss_rate)), h("td", {}, between(one.miss_rate_interval, percent))))))),
    h("div", { class: "row" }, take),
    h("div", { class: "compare" }, items.filter((one) => one.curve?.length > 1).map(chart)));
}

function chart(one) {
  const line = (member) => one.curve.map((at) => [at.threshold, at[member]]);
  const name = nameOf(one.modalities);
  return h("figure", { class: "field" }, h("figcaption", { class: "row" }, h("strong", {}, name),
    h("span", { class: "key", vars: { colour: "var(--warn)" } }, "newcomers taken for somebody"),
    h("span", { class: "key", vars: { colour: "var(--accent)" } }, "known that are missed")),
  curves([["false", "warn", line("false_match_rate")], ["missed", "accent", line("miss_rate")]], `Errors by threshold, ${name}`));
}
