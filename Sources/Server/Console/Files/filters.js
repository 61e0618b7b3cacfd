// What a query may find: by camera, time, label and metadata.

import { h, put, field, select } from "./dom.js";
import { knows, get, inGallery } from "./api.js";

const list = (text) => text.split(",").map((part) => part.trim()).filter(Boolean);
const moment = (text) => (text ? new Date(text).toISOString() : undefined);

/** `speed >= 30`, `lane = 1, 2`, `zone != a`, a line each, as conditions. Throws what is wrong in words. */
export function conditions(text) {
  const [wanted, unwanted] = [{}, {}];
  const names = { "<": "lt", "<=": "lte", ">": "gt", ">=": "gte" };
  for (const line of text.split("\n").map((one) => one.trim()).filter(Boolean)) {
    const found = /^([^<>=!]+?)\s*(<=|>=|!=|<|>|=)\s*(.+)$/.exec(line);
    if (!found) throw new Error(`“${line}” is no condition; write for example lane = 2 or speed >= 30`);
    const [, name, sign, rest] = found;
    const values = list(rest).map(value);
    if (sign in names) wanted[name] = { ...wanted[name], [names[sign]]: values[0] };
    else (sign === "!=" ? unwanted : wanted)[name] = values.length === 1 ? values[0] : values;
  }
  return [wanted, unwanted];
}

function value(text) {
  if (text === "true" || text === "false") return text === "true";
  const number = Number(text);
  return Number.isNaN(number) ? text.replace(/^"(.*)"$/, "$1") : number;
}

const cameraNames = new Map(); // by gallery

/** Fills a list with the cameras of a gallery. They are counted by the server, of every sighting, so only for whoever wants to type
    one, and once. */
async function suggest(names, gallery, signal) {
  if (!cameraNames.has(gallery)) {
    if (!(await knows("/facets"))) return;
    const facets = await get(inGallery(gallery, "facets"), { bucket: "month" }, { signal }).catch(() => null);
    if (signal.aborted) return;
    // Too many to be counted in time: not again, then.
    cameraNames.set(gallery, facets?.cameras.items ?? []);
  }
  put(names, cameraNames.get(gallery).map((one) => h("option", { value: one.camera }, `${one.sightings}`)));
}

/** The controls, and `read()`, which gives the filter or throws what is wrong. */
export function filters(gallery, signal) {
  const text = (placeholder) => h("input", { type: "text", placeholder, autocomplete: "off" });
  const cameras = text("north, south");
  const without = text("east");
  const [from, to] = [0, 1].map(() => h("input", { type: "datetime-local", step: 1 }));
  const label = text("White van");
  const labelled = select([["", "Named or not"], ["yes", "Named only"], ["no", "Unnamed only"]], "");
  const metadata = h("textarea", { rows: 2, placeholder: "lane = 1, 2\nspeed >= 30" });
  const names = h("datalist", { id: "cameras" });
  for (const control of [cameras, without]) {
    control.setAttribute("list", names.id);
    control.addEventListener("focus", () => suggest(names, gallery, signal), { once: true });
  }
  const element = h("div", { class: "stack" },
    field("Seen by cameras", cameras, { draft: "filter.cameras" }),
    field("Not by", without, { draft: "filter.without" }),
    field("Seen from", from, { draft: "filter.from" }), field("Seen before", to, { draft: "filter.to" }),
    field("Label begins with", label, { draft: "filter.label" }),
    field("Identities", labelled, { draft: "filter.labelled" }),
    field("Metadata", metadata, { draft: "filter.metadata", hint: "A condition a line: =, !=, <, <=, >, >=." }), names);
  function read() {
    const [wanted, unwanted] = conditions(metadata.value);
    const all = {
      cameras: list(cameras.value), exclude_cameras: list(without.value), captured_after: moment(from.value),
      captured_before: moment(to.value), label_prefix: label.value.trim(), metadata: wanted, exclude_metadata: unwanted,
      labelled: labelled.value === "" ? undefined : labelled.value === "yes",
    };
    return Object.fromEntries(Object.entries(all).filter(([, one]) =>
      typeof one === "boolean" || (one && (typeof one === "string" || Object.keys(one).length > 0))));
  }
  return { element, read };
}
