// How well what is enrolled finds each other: figures, scores, and where it fails.

import { h, put, field } from "./dom.js";
import { get, inGallery, knows, post } from "./api.js";
import { act, load } from "./notice.js";
import { lacking, may } from "./access.js";
import { portrait, triple } from "./pictures.js";
import { address } from "./places.js";
import { curves, distributions } from "./charts.js";
import { followJob } from "./progress.js";
import { modalityNames, ordered, percent, plural, score, time } from "./format.js";

export default async function quality(root, { gallery, signal }) {
  const head = h(
    "div",
    { class: "lead" },
    h("h1", {}, "Quality"),
    h(
      "p",
      {},
      "Sightings are looked for among all others of the gallery, as queries are. It assumes that what is enrolled is labelled right.",
    ),
  );
  if (!(await knows("/evaluations/latest"))) {
    put(root, head, h("p", { class: "card" }, "This server cannot evaluate a gallery; a newer one can."));
    return;
  }
  const [place, shown] = [h("div", { class: "place" }), h("div")];
  const samples = h("input", { type: "number", min: 1, max: 100000, value: 2000, required: true });
  const go = h("button", { class: "primary" }, "Evaluate");
  async function begin(event) {
    event.preventDefault();
    const job = await act(go, place, () => post(inGallery(gallery, "evaluations"), { samples: Number(samples.value) }));
    const ended = job && (await followJob(job, place, signal));
    if (ended?.state !== "succeeded") return;
    put(place);
    redraw();
  }
  const redraw = () => load(shown, signal, async () => {
    try {
      return draw(gallery, await get(inGallery(gallery, "evaluations", "latest"), {}, { signal }));
    } catch (error) {
      if (error.status !== 404) throw error;
      return h("p", { class: "empty" }, "Nothing was evaluated yet.");
    }
  });
  put(
    root,
    h(
      "div",
      { class: "head" },
      head,
      may("evaluate") ? h(
        "form",
        { class: "row end", on: { submit: begin } },
        field("Sightings to look for", samples, { draft: "quality.samples" }),
        go,
      ) : lacking({ evaluate: "evaluate" }),
    ),
    place,
    shown,
  );
  await redraw();
}

function draw(gallery, one) {
  return h("div", { class: "stack" },
    h("p", { class: "hint" }, `${plural(one.samples, "sighting")} looked for among ${plural(one.sightings, "sighting")} of ${plural(one.identities, "identity", "identities")}, ${time(one.created_at)}.`,
      one.stale ? " Another model answers now: evaluate again." : "",
      one.incomparable ? ` ${plural(
        one.incomparable,
        "pair",
      )} of an identity share no modality and cannot be found.` : ""),
    h("div", { class: "compare" }, figures("Among all others", one.all), figures("By other cameras", one.cross_camera)),
    one.errors && h(
      "section",
      { class: "card" },
      h("h2", {}, "At the gallery's thresholds"),
      facts(
        [
          ["Newcomers taken for somebody (FPIR)", percent(one.errors.false_positive_identification_rate)],
          ["Known that are missed (FNIR)", percent(one.errors.false_negative_identification_rate)],
        ]
      ),
    ),
    one.scores.map(scores),
    one.worst_identities.length > 0 && h("section", { class: "card" }, h("h2", {}, "Identities that are found worst"),
      h("ul", { class: "grid" }, one.worst_identities.slice(0, 12).map((bad) => h("li", {}, h("a", { class: "card person", href: address("identities", [bad.identity]) },
        portrait(gallery, bad.identity),
        h("strong", {}, bad.label ?? bad.identity),
        h(
          "p",
          { class: "hint" },
          `mAP ${percent(bad.mean_average_precision)} over ${plural(bad.queries, "query", "queries")}`,
        )))))),
    one.failures.length > 0 && h(
      "section",
      { class: "card" },
      h("h2", {}, "Queries that found somebody else"),
      failures(gallery, one.failures),
    ));
}

const facts = (rows) => h(
  "dl",
  { class: "facts" },
  rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", { class: "big" }, value))),
);

function figures(title, one) {
  return h("section", { class: "card" }, h("h2", {}, title),
    facts(
      [
        ["mAP", percent(one.mean_average_precision)],
        ["mINP", percent(one.mean_inverse_negative_penalty)],
        ["Rank 1", percent(one.rank1)],
        ["Rank 5", percent(one.rank5)],
        ["Rank 10", percent(one.rank10)],
      ]
    ),
    h("p", { class: "hint" }, `${plural(one.queries, "query", "queries")}; ${one.skipped} had nothing to find.`));
}

function scores(one) {
  const name = ordered(one.modalities).map((some) => modalityNames[some]).join(" + ");
  const line = (member) => one.curve.map((at) => [at.threshold, at.errors[member]]);
  return h("section", { class: "card" }, h("h2", {}, name),
    h("div", { class: "compare" },
      h("figure", { class: "field" }, distributions(one.genuine, one.impostor, one.threshold, `Best scores with the same identity and with others, ${name}`),
        h("figcaption", { class: "row" }, h("span", { class: "key", vars: { colour: "var(--accent)" } }, "best with the same identity"), h("span", { class: "key", vars: { colour: "var(--warn)" } }, "best with another"),
          one.threshold !== undefined && h("span", { class: "hint" }, `┆ threshold ${score(one.threshold)}`))),
      one.curve.length > 1 && h("figure", { class: "field" }, curves([["FPIR", "warn", line("false_positive_identification_rate")], ["FNIR", "accent", line("false_negative_identification_rate")]], `Errors by threshold, ${name}`),
        h(
          "figcaption",
          { class: "row" },
          h("span", { class: "key", vars: { colour: "var(--warn)" } }, "newcomers taken for somebody"),
          h("span", { class: "key", vars: { colour: "var(--accent)" } }, "known that are missed"),
        ))));
}

function failures(gallery, items) {
  const cell = (title, one, more) => h("div", { class: "field" }, h("span", { class: "hint" }, title),
    one ? [
      triple(gallery, { id: one.sighting, identity: one.identity }),
      h("a", { href: address("identities", [one.identity]) }, one.label ?? one.identity),
      h("span", { class: "hint" }, more),
    ] : "–");
  return h("ul", { class: "events" }, items.slice(0, 20).map((one) => h("li", { class: "compare" },
    cell("Looked for", one, ""), cell("Found first", one.found, `score ${score(one.found.score)}`),
    cell(`Its own, at rank ${one.rank}`, one.genuine, one.genuine ? `score ${score(one.genuine.score)}` : ""))));
}
