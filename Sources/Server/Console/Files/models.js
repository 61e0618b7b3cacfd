// What makes the embeddings: what each model is, how it compares, and which one answers.

import { h, put, tick } from "./dom.js";
import { get, path, send, remove } from "./api.js";
import { act, load, toast } from "./notice.js";
import { lacking, may } from "./access.js";
import { ask } from "./dialog.js";
import { followJob } from "./progress.js";
import { comparison } from "./comparison.js";
import { bytes, count, digest, modalityNames, ordered, percent, plural, short } from "./format.js";

const systems = {
  unicat: "UniCat",
  fusion_concat: "Fusion-concat",
  fusion_average: "Fusion-average",
  graft: "GraFT",
  ieee: "IEEE",
  mixer: "MixER",
  dmf: "DMF",
};

export default async function models(root, { signal }) {
  const list = h("div");
  const redraw = () => load(list, signal, async () => {
    const { items } = await get("v1/models", { limit: 1000 }, { signal });
    const active = items.find((one) => one.active);
    return h(
      "div",
      { class: "stack" },
      items.sort((a, b) => Number(b.active) - Number(a.active)).map((one) => card(one, active, signal, redraw)),
    );
  });
  const [place, input] = [
    h("div", { class: "place" }),
    h("input", { type: "file", hidden: true, accept: ".safetensors", on: { change: upload } }),
  ];
  const button = h("button", { on: { click: () => input.click() } }, "Hand over a checkpoint");
  async function upload() {
    const [file] = input.files;
    input.value = "";
    if (!file) return;
    const done = await act(
      button,
      place,
      (stop) => send(
        "POST",
        "v1/models",
        { body: file, headers: { "Content-Type": "application/octet-stream" }, signal: stop },
      ),
    );
    if (!done) return;
    toast("It was verified and is listed; it does not answer yet.");
    redraw();
  }
  const words = "One answers. Another takes over once it has embedded everything; going back is the same.";
  put(root,
    h("div", { class: "head" }, h("div", { class: "lead" }, h("h1", {}, "Models"), h("p", {}, words)), may("publish") && [button, input]),
    lacking({ publish: "hand one over", activate: "compare and activate", eraseModel: "erase" }), place, list);
  await redraw();
}

function card(one, active, signal, redraw) {
  const [place, shown] = [h("div", { class: "place" }), h("div", { class: "place" })];
  const compare = h("button", { on: { click: dryRun } }, "Compare with the active one");
  const activate = h(
    "button",
    { class: "primary", on: { click: begin } },
    one.sightings ? "Activate (or go back to it)" : "Activate",
  );
  const erase = h("button", { on: { click: forget } }, "Erase …");
  const facts = [["System", systems[one.system] ?? one.system], ["Backbone", one.backbone === "vit" ? "ViT" : "ResNet"], ["Reads", ordered(one.modalities).map((name) => modalityNames[name]).join(", ")],
    ["Dimension", count(one.dimension)],
    ["Parameters", short(one.parameters)],
    ["Sparsity", percent(one.sparsity)],
    ["File", bytes(one.bytes)],
    ["Precision", one.computed ? `${one.precision}, computed in ${one.computed}` : one.precision],
    ["Embedded", plural(one.sightings, "sighting")], ["Self-test", one.self_tested ? "passed" : "has none"]];
  async function dryRun() {
    const job = await act(compare, place, () => begun(one, { dry_run: true }));
    if (!job) return;
    const ended = await followJob(job, place, signal);
    if (ended?.state === "succeeded") put(shown, comparison(ended.result));
  }
  async function begin() {
    const fewer = h("input", { type: "checkbox" });
    const lost = ordered(active?.modalities ?? []).filter((name) => !one.modalities.includes(name));
    const job = await ask({
      title: `Activate ${digest(one.model)}?`, verb: "Activate",
      contents: [
        h("p", {}, "It embeds every sighting that it has not embedded yet, while the other goes on answering; then it answers. "
          + "Scores of two models are not on one scale: compare first, and look at the thresholds."),
        lost.length > 0 && tick(
          `Give up ${lost.map((name) => modalityNames[name].toLowerCase()).join(", ")}, which it does not read`,
          fewer,
        )],
      work: () => begun(one, fewer.checked ? { allow_fewer_modalities: true } : {}),
    });
    if (job) await followActivation(job);
  }
  async function followActivation(job) {
    [buttons.hidden, coming.hidden] = [true, false];
    const ended = await followJob(job, place, signal);
    [buttons.hidden, coming.hidden] = [false, true];
    if (ended?.state !== "succeeded" || signal.aborted) return;
    toast(`${digest(one.model)} answers now.`);
    redraw();
  }
  async function forget() {
    const done = await ask({ title: `Erase ${digest(one.model)}?`, verb: "Erase", isDangerous: true,
      contents: [
        h(
          "p",
          {},
          `This erases the checkpoint and its embeddings of ${plural(
            one.sightings,
            "sighting",
          )}. To come back, it must be handed over and embed everything again.`,
        ),
      ],
      work: () => remove(path("v1/models", one.model)) });
    if (done) redraw();
  }
  const buttons = h("div", { class: "row" }, may("activate") && [activate, compare], may("eraseModel") && erase);
  const coming = h("span", { class: "pill warn", hidden: true }, "is to answer");
  // It was begun before this view was opened, by somebody else, or by the server itself for another precision.
  if (one.activation) get(path("v1/jobs", one.activation), {}, { signal }).then(followActivation, () => {});
  return h("section", { class: "card", "aria-label": `Model ${digest(one.model)}` },
    h(
      "div",
      { class: "row" },
      h("h2", {}, systems[one.system] ?? one.system),
      one.active && h("span", { class: "pill good" }, "answers"),
      coming,
      h("code", { class: "hint", title: one.model }, digest(one.model)),
    ),
    h("dl", { class: "facts" }, facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
    provenance(one), !one.active && buttons, place, shown);
}

const begun = async (one, query) => (await send("POST", path("v1/models", one.model, "activation"), { query })).json();

function provenance(one) {
  const parts = [
    ["Made from", one.parent && h("code", {}, one.parent)],
    ["Pruning", one.pruning && tree(one.pruning)],
    ["Quantisation", one.quantization && tree(one.quantization)],
    ["Training", one.training && tree(one.training)],
  ];
  const known = parts.filter(([, value]) => value);
  return h("details", {}, h("summary", {}, "Where it comes from"), h("p", {}, h("code", {}, one.model)),
    known.length ? known.map(([name, value]) => [h("h3", {}, name), value]) : h(
      "p",
      { class: "hint" },
      "The file does not say.",
    ));
}

function tree(value) {
  if (value === null || typeof value !== "object") return h("code", {}, `${value}`.slice(0, 300));
  return h("ul", {}, Object.entries(value).slice(0, 60).map(([name, inner]) => h("li", {}, `${name}: `, tree(inner))));
}
