// How two models see the same sightings, in pictures.

import { h } from "./dom.js";
import { gauge, ranges } from "./charts.js";
import { count, percent, score } from "./format.js";

export function comparison(result) {
  const { agreement, mean_scores: means, thresholds, sightings } = result;
  return h("div", { class: "stack" },
    h("p", { class: "hint" }, `On ${count(sightings ?? 0)} sightings.`),
    h("div", { class: "compare" },
      figure("The nearest other is the same", gauge(agreement?.top_1 ?? 0), percent(agreement?.top_1 ?? 0)),
      figure("Shared among the ten nearest", gauge(agreement?.top_10 ?? 0), percent(agreement?.top_10 ?? 0))),
    means && h("section", {}, h("h3", {}, "Scores, from two identities to one, on average"), ranges([
      ["Active", means.active.different_identity, means.active.same_identity, "soft"],
      ["This one", means.candidate.different_identity, means.candidate.same_identity, "accent"]])),
    thresholds?.length > 0 && h("div", { class: "scroll" }, h("table", {}, h("caption", { class: "hint" }, "The threshold that lets as many newcomers pass"),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          ["Newcomers that pass", "Active", "This one", "Shift"].map(
            (name, index) => h("th", { scope: "col", class: index ? "number" : "" }, name)
          ),
        ),
      ),
      h("tbody", {}, thresholds.map((one) => h("tr", {}, h("td", {}, percent(one.false_match_rate)), h("td", { class: "number" }, score(one.active)),
        h("td", { class: "number" }, score(one.candidate)),
        h(
          "td",
          { class: "number" },
          one.active !== null && one.candidate !== null ? `${one.candidate >= one.active ? "+" : "−"}${Math.abs(one.candidate - one.active).toFixed(3)}` : "–",
        )))))));
}

function figure(name, picture, value) {
  return h(
    "figure",
    { class: "field" },
    picture,
    h("figcaption", {}, h("span", { class: "big" }, value), h("br"), name),
  );
}
