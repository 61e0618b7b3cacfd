// What takes long.

import { h, put } from "./dom.js";
import { path, remove } from "./api.js";
import { act } from "./notice.js";
import { lacking, may, mayEnd } from "./access.js";
import { paged } from "./paging.js";
import { followJob, isOver, jobNames, progressOf, stateTone } from "./progress.js";
import { time } from "./format.js";

export default async function jobs(root, { signal }) {
  const list = paged("v1/jobs", { order: "desc" }, signal, (items) => h("ul", { class: "events" }, items.map(
    (one) => h("li", { class: "card" }, isOver(one) ? past(one, () => list.reload()) : running(one, signal, () => list.reload()))
  )), { empty: "No jobs yet: imports, groupings, calibrations and changes of the model are jobs.", label: "Pages of jobs" });
  put(root, h("div", { class: "head" }, h("div", { class: "lead" }, h("h1", {}, "Jobs"), h("p", {}, "What is under way, and what has ended; the last first.")),
    h("button", { on: { click: () => list.reload() } }, "Look again")), lacking(may("endJob") ? { activate: "cancel or forget those of no gallery" } : { endJob: "cancel or forget any" }), list);
}

function running(job, signal, redraw) {
  const place = h("div");
  followJob(job, place, signal).then((ended) => ended && !signal.aborted && redraw());
  return place;
}

function past(job, redraw) {
  const place = h("div", { class: "place" });
  const forget = h("button", { class: "small", on: { click: async () => {
    if (await act(forget, place, async () => (await remove(path("v1/jobs", job.id))) ?? true)) redraw();
  } } }, "Forget");
  return h("div", { class: "stack" },
    h("div", { class: "row" }, h("strong", {}, jobNames[job.kind] ?? job.kind), h("span", { class: `pill ${stateTone(job.state)}` }, job.state),
      job.gallery && h("span", { class: "hint" }, job.gallery),
      h("span", { class: "gap" }),
      h("span", { class: "hint" }, time(job.updated_at)),
      mayEnd(job) && forget),
    progressOf(job),
    job.result && h(
      "details",
      {},
      h("summary", {}, "Result"),
      h("pre", { class: "scroll", tabIndex: 0 }, h("code", {}, JSON.stringify(job.result, null, 1).slice(0, 20000))),
    ),
    place);
}
