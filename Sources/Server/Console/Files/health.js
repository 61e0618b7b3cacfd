// How the server is: rates and times from /metrics, read every few seconds while this is looked at.

import { h, put } from "./dom.js";
import { get, send } from "./api.js";
import { wrongBox } from "./notice.js";
import { spark } from "./charts.js";
import { has, parse, quantile, sum } from "./metrics.js";
import { bytes, count, digest, span } from "./format.js";

const every = 3;
const most = 100;
const history = []; // Readings with their times; they stay when the view is left.

const isAPI = (labels) => labels.route?.startsWith("/v1") && !labels.route.endsWith("/events");
const isError = (labels) => labels.status >= "500";
const rate = (name, admits) => (before, after, seconds) => Math.max(
  0,
  sum(after, name, admits) - sum(before, name, admits),
) / seconds;
const latency = (share, name, admits) => (before, after) => quantile(before, after, name, share, admits);
const now = (name) => (before, after) => (has(after, name) ? sum(after, name) : null);

const charts = [
  ["Requests a second", rate("triptych_requests_total", isAPI), (value) => value.toFixed(1), "accent"],
  ["Half of the answers within", latency(0.5, "triptych_request_seconds", isAPI), span, "accent"],
  ["99 of 100 answers within", latency(0.99, "triptych_request_seconds", isAPI), span, "tir"],
  ["Failures of the server a second", rate("triptych_requests_total", isError), (value) => value.toFixed(1), "bad"],
  ["Encoding, half within", latency(0.5, "triptych_encode_seconds"), span, "nir"],
  ["Search, half within", latency(0.5, "triptych_search_seconds"), span, "rgb"],
  ["Queries a second", rate("triptych_queries_total"), (value) => value.toFixed(1), "accent"],
  ["Enrolments a second", rate("triptych_enrolments_total"), (value) => value.toFixed(1), "good"],
  ["Connections", now("triptych_connections"), count, "soft"],
];

export default async function health(root, { signal }) {
  const [facts, grid, trouble] = [
    h("dl", { class: "facts" }),
    h("div", { class: "grid charts" }),
    h("div", { class: "place" }),
  ];
  const state = h("p", { role: "status" });
  put(
    root,
    h("div", { class: "lead" }, h("h1", {}, "Health"), state),
    trouble,
    h("section", { class: "card", "aria-label": "Figures" }, facts),
    grid,
  );
  let timer;
  signal.addEventListener("abort", () => clearTimeout(timer));
  async function read() {
    try {
      const [ready, page] = await Promise.all([get("readyz", {}, { signal }), send("GET", "metrics", { signal })]);
      history.push({ at: Date.now(), samples: parse(await page.text()) });
      history.splice(0, history.length - most);
      put(trouble);
      state.textContent = "The server is ready.";
      draw(ready);
    } catch (error) {
      if (signal.aborted) return;
      state.textContent = "";
      put(trouble, wrongBox(error));
      if (error.status === 403) return;
    }
    timer = setTimeout(read, every * 1000);
  }
  function draw(ready) {
    const { samples } = history.at(-1);
    const known = [["Model", digest(ready.model)], ["Sightings", count(ready.sightings ?? 0)], ["Memory", bytes(sum(samples, "process_resident_memory_bytes"))],
      ["Database", bytes(sum(samples, "triptych_database_bytes"))],
      ["Disk free", bytes(sum(samples, "triptych_disk_free_bytes"))],
      ["Waiting work", count(sum(samples, "triptych_queue_waiting"))]];
    put(facts, known.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
    put(grid, charts.map(([name, make, words, colour]) => {
      const values = history.slice(1).map(
        (one, index) => make(history[index].samples, one.samples, (one.at - history[index].at) / 1000)
      );
      const last = values.at(-1) ?? null;
      const text = last === null ? "–" : words(last);
      return h(
        "section",
        { class: "card" },
        h("h2", { class: "hint" }, name),
        h("p", { class: "big" }, text),
        spark(values, `${name}: ${text} now`, colour),
      );
    }));
  }
  await read();
}
