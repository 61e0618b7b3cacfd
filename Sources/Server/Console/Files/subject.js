// What is asked about: images, or a sighting that is enrolled; and how that is sent.

import { h, put } from "./dom.js";
import { get, inGallery, post, send } from "./api.js";
import { Exemplar } from "./exemplar.js";
import { triple } from "./pictures.js";
import { address } from "./places.js";
import { time } from "./format.js";

const most = 16;

/** The images that were put in; they stay when the view is left. */
export class Subject {
  constructor() {
    this.exemplars = [];
    this.sighting = null;
    this.list = h("div", { class: "stack" });
    this.onChange = () => {};
    this.element = h("div", { class: "stack" });
    this.add();
    addEventListener("paste", (event) => this.paste(event));
  }

  add() {
    const isFirst = this.exemplars.length === 0;
    this.exemplars.push(new Exemplar(() => this.onChange(), isFirst ? null : (one) => {
      this.exemplars.splice(this.exemplars.indexOf(one), 1);
      this.draw();
    }));
    this.draw();
  }

  paste(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length || !this.element.isConnected || this.sighting) return;
    event.preventDefault();
    this.exemplars.at(-1).take(files, document.activeElement?.closest?.("[data-modality]")?.dataset.modality);
  }

  /** Asks about an enrolled sighting in place of images, or about images again. */
  async choose(gallery, identity, sighting) {
    this.sighting = sighting ? await get(inGallery(gallery, "identities", identity, "sightings", sighting)) : null;
    this.gallery = gallery;
    this.draw();
  }

  draw() {
    if (this.sighting) {
      const { identity, camera, captured_at: at } = this.sighting;
      put(this.element,
        h(
          "p",
          {},
          "A sighting of ",
          h("a", { href: address("identities", [identity]) }, identity),
          camera ? ` by ${camera}` : "",
          at ? `, ${time(at)}` : "",
        ),
        triple(this.gallery, this.sighting),
        h("a", { class: "button", href: address("query") }, "Ask about images instead"));
      return;
    }
    put(this.list, this.exemplars.map((one) => one.element));
    put(this.element, this.list, h("div", { class: "row" },
      this.exemplars.length < most && h(
        "button",
        { type: "button", class: "small", on: { click: () => this.add() } },
        "+ Another picture of it",
      ),
      h(
        "button",
        { type: "button", class: "small plain", on: { click: () => { this.exemplars.length = 0; this.add(); this.onChange(); } } },
        "Clear",
      )));
  }

  get filled() {
    return this.exemplars.filter((one) => !one.isEmpty);
  }

  get isEmpty() {
    return !this.sighting && this.filled.length === 0;
  }

  /** A query's answer. Several exemplars go together where the server can do that, else each by itself, and the best scores
      count. */
  async query(gallery, options, { galleries, canCombine, signal }) {
    const where = galleries ? "v1/queries" : inGallery(gallery, "queries");
    const extra = galleries ? { galleries } : {};
    if (this.sighting) return post(where, { ...options, ...extra, sighting: this.sighting.id }, { signal });
    const { filled } = this;
    const isOne = filled.length === 1;
    const form = new FormData();
    const boxes = Object.assign({}, ...filled.map((one, index) => one.fill(form, isOne ? "" : `${index}.`)));
    const isBatch = !isOne && !canCombine;
    if (!isOne && canCombine) options = { ...options, by_exemplar: true };
    form.append("options", JSON.stringify({ ...options, ...extra, ...(Object.keys(boxes).length ? { boxes } : {}) }));
    const answer = await send("POST", isBatch ? `${where}/batch` : where, { body: form, signal });
    const json = await answer.json();
    return isBatch ? best(json, options.limit) : json;
  }

  /** Enrols all images under an identity; sent again after a failure, nothing is enrolled twice. */
  async enrol(gallery, identity, options, signal) {
    for (const one of this.filled) {
      const form = new FormData();
      const boxes = one.fill(form);
      form.append("options", JSON.stringify({ ...options, ...(Object.keys(boxes).length ? { boxes } : {}) }));
      await send("POST", inGallery(gallery, "identities", identity, "sightings"), {
        body: form, signal, headers: { "Idempotency-Key": await fingerprint(one, identity, options) },
      });
    }
  }

  /** Says beside its image what is wrong with it. Gives whether there is such a one. */
  blame(problem) {
    const found = /^(?:(\d+)\.)?(rgb|nir|tir)$/.exec(problem.modality || "");
    const one = found && this.filled[Number(found[1] ?? 0)];
    one?.blame(found[2], problem.message.replace(/^(\d+\.)?(rgb|nir|tir): /, ""));
    return Boolean(one);
  }
}

/** The same images under the same name give the same; `crypto.subtle` is not there without TLS, and this need not be secret. */
async function fingerprint(exemplar, identity, options) {
  let [a, b] = [0x811c9dc5, 0x1234567];
  const eat = (byte) => {
    a = Math.imul(a ^ byte, 0x01000193) >>> 0;
    b = Math.imul(b + byte, 0x85ebca6b) >>> 0;
  };
  for (const [modality, held] of Object.entries(exemplar.images)) {
    for (const byte of new TextEncoder().encode(modality + JSON.stringify(held.box))) eat(byte);
    for (const byte of new Uint8Array(await held.file.arrayBuffer())) eat(byte);
  }
  for (const byte of new TextEncoder().encode(identity + JSON.stringify(options))) eat(byte);
  return `console-${a.toString(16)}-${b.toString(16)}`;
}

/** Of the answers to each exemplar, one: each identity by its best. */
function best(batch, limit) {
  const failed = batch.results.find((one) => one.problem);
  if (failed) throw Object.assign(new Error(failed.problem.detail), { status: failed.problem.status, type: "", instance: failed.problem.instance });
  const found = new Map();
  for (const match of batch.results.flatMap((one) => one.matches)) {
    if (!(found.get(match.identity)?.score >= match.score)) found.set(match.identity, match);
  }
  const matches = [...found.values()].sort((x, y) => y.score - x.score).slice(0, limit);
  return { ...batch.results[0], matches, timing: batch.timing, isMerged: true };
}

