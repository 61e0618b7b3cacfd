// A job as it goes on.

import { h, put } from "./dom.js";
import { path, remove } from "./api.js";
import { act, wrongBox } from "./notice.js";
import { mayEnd } from "./access.js";
import { follow } from "./stream.js";
import { count, span } from "./format.js";

export const jobNames = {
  activation: "Activation of a model",
  comparison: "Comparison of two models",
  reembedding: "Embedding anew",
  import: "Import",
  grouping: "Grouping",
  calibration: "Calibration", evaluation: "Evaluation", mapping: "Map",
};
export const isOver = (job) => ["succeeded", "failed", "cancelled"].includes(job.state);
export const stateTone = (state) => (
  { succeeded: "good", failed: "bad", running: "accent", waiting: "warn" }
)[state] ?? "";

export function progressOf(job) {
  const words = [job.total ? `${count(job.done)} of ${count(job.total)}` : job.state === "waiting" ? "waits for another" : "",
    job.rate && `${job.rate.toFixed(1)} a second`,
    job.seconds_left !== undefined && !isOver(job) && `${span(job.seconds_left)} left`];
  return h("div", { class: "field" },
    !isOver(job) && h(
      "progress",
      { max: job.total || 1, value: job.total ? job.done : undefined, "aria-label": jobNames[job.kind] ?? job.kind },
    ),
    h("p", { class: "hint" }, words.filter(Boolean).join(" · ")), job.reason && h("p", { class: "wrong" }, job.reason));
}

/** Shows a job in `place` until it has ended, across breaks of the connection. Gives it as it ended, or undefined. */
export async function followJob(job, place, signal) {
  let ended;
  const stop = h("button", { class: "small", on: { click: cancel } }, "Cancel");
  const [bar, trouble] = [h("div"), h("div", { class: "place" })];
  function draw(one, state) {
    put(bar, h("div", { class: "row" }, h("strong", {}, jobNames[one.kind] ?? one.kind), h("span", { class: `pill ${stateTone(one.state)}` }, one.state),
      state && h("span", { class: "hint" }, state)), progressOf(one));
    stop.hidden = isOver(one) || !mayEnd(one);
  }
  function cancel() {
    return act(stop, trouble, () => remove(path("v1/jobs", job.id)));
  }
  put(place, h("div", { class: "stack", role: "status" }, bar, h("div", { class: "row" }, stop), trouble));
  draw(job);
  await follow(path("v1/jobs", job.id, "events"), {
    signal,
    onEvent: ({ event, data }) => {
      job = data;
      draw(job);
      if (event === "end") ended = job;
      return event === "end";
    },
    onState: (state, detail) => {
      if (state === "waiting") draw(job, "the connection broke; following again …");
      if (state === "lost") put(trouble, wrongBox(detail));
    },
  });
  return ended;
}
