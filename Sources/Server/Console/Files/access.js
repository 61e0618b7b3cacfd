// What the key may do, so that nothing is offered that would be refused. The server has the last word.

import { h } from "./dom.js";
import { get } from "./api.js";
import { key } from "./session.js";

const gallery = "/v1/galleries/{gallery}";
const identity = `${gallery}/identities/{identity}`;

/** What can be done here, by the operation that does it. */
export const operations = {
  makeGallery: "POST /v1/galleries",
  enrol: `POST ${identity}/sightings`,
  move: `POST ${identity}/sightings/{sighting}/move`,
  label: `PATCH ${identity}`,
  rename: `POST ${identity}/rename`,
  merge: `POST ${identity}/merge`,
  split: `POST ${identity}/split`,
  distinguish: `POST ${identity}/distinguish`,
  erase: `DELETE ${identity}`,
  eraseSighting: `DELETE ${identity}/sightings/{sighting}`,
  undo: `POST ${gallery}/corrections/{correction}/undo`,
  group: `POST ${gallery}/groupings`,
  evaluate: `POST ${gallery}/evaluations`,
  map: `POST ${gallery}/maps`,
  setThresholds: `PUT ${gallery}/thresholds`,
  calibrate: `POST ${gallery}/calibrations`,
  publish: "POST /v1/models",
  activate: "POST /v1/models/{model}/activation",
  eraseModel: "DELETE /v1/models/{model}",
  endJob: "DELETE /v1/jobs/{job}",
  webhooks: "GET /v1/webhooks",
  makeWebhook: "POST /v1/webhooks",
  endWebhook: "DELETE /v1/webhooks/{webhook}",
  reviveWebhook: "POST /v1/webhooks/{webhook}/revive",
  keys: "GET /v1/keys",
  makeKey: "POST /v1/keys",
  revoke: "DELETE /v1/keys/{key}",
  audit: "GET /v1/audit",
  health: "GET /metrics",
};

let known = null;
let ofKey = "";

/** Asks the server, once for each key. Older servers do not say, so everything is offered. */
export async function learn() {
  if (known && ofKey === key()) return known;
  const found = await get("v1/access").catch((error) => {
    if (error.isMissing) return {};
    throw error;
  });
  [known, ofKey] = [found, key()];
  return known;
}

/** What was learnt; null before that. */
export const access = () => known;

/** Whether something can be done, by its name above. */
export const may = (name) => known?.operations?.includes(operations[name]) ?? true;

/** Whether a job can be ended: one of no gallery concerns the whole server. */
export const mayEnd = (job) => may("endJob") && (Boolean(job.gallery) || may("activate"));

/** Says which of some things are not offered, by their names above and in words; nothing if all are. */
export function lacking(some) {
  const words = [...new Set(Object.keys(some).filter((name) => !may(name)).map((name) => some[name]))];
  return words.length > 0 && h("p", { class: "hint lacking" }, `Your key, ${known.name}, may not ${list(words)}.`);
}

/** What takes a right of its own to see: the right, and whose key has it. */
const views = {
  groups: ["group", "one that enrols"],
  webhooks: ["webhooks", "an admin's, for all galleries"],
  keys: ["keys", "an admin's, for all galleries"],
  audit: ["audit", "an admin's, for all galleries"],
  health: ["health", "one for all galleries"],
};

export const isClosed = (view) => view in views && !may(views[view][0]);

/** In place of a view that the key may not see. */
export function closed(view, title) {
  return h("section", { class: "card" }, h("h1", {}, title),
    h("p", {}, `Your key, ${known.name}, may not see this: it takes ${views[view][1]}, and yours is ${whose()}.`));
}

/** Who asks, in short; nothing of a server without keys. */
export const who = () => known?.id && h("span", { class: "who hint", title: whose() }, `${known.name} · ${known.role}`);

function whose() {
  const where = known.galleries ? `for ${known.galleries.join(", ")} alone` : "for all galleries";
  return `${{ read: "one that reads", enrol: "one that reads and enrols", admin: "an admin's" }[known.role]}, ${where}`;
}

const list = (words) => (words.length > 1 ? `${words.slice(0, -1).join(", ")} or ${words.at(-1)}` : words[0]);
