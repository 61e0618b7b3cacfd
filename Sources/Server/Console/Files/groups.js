// Identities that nobody has named and that seem to be one, to be merged and named in one go.

import { h, put, field } from "./dom.js";
import { get, inGallery, patch, path, post } from "./api.js";
import { act } from "./notice.js";
import { portrait } from "./pictures.js";
import { address } from "./places.js";
import { corrected, tellApart } from "./correct.js";
import { followJob } from "./progress.js";
import { plural, score } from "./format.js";

export default async function groups(root, { gallery, signal }) {
  const [place, found] = [h("div", { class: "place" }), h("div", { class: "stack" })];
  const threshold = h("input", { type: "number", min: -1, max: 1, step: 0.01, value: 0.8, required: true });
  const go = h("button", { class: "primary" }, "Look for groups");
  put(root,
    h("div", { class: "lead" }, h("p", {}, h("a", { href: address("identities") }, "← Identities")), h("h1", {}, "Name unknowns"),
      h("p", {}, "Identities without a label that look alike are put together. Nothing is changed until you say so.")),
    h(
      "form",
      { class: "card", on: { submit } },
      h("div", { class: "row end" }, field("Least score", threshold, { draft: "groups.threshold" }), go),
      place,
    ),
    found);
  async function submit(event) {
    event.preventDefault();
    const job = await act(
      go,
      place,
      () => post(inGallery(gallery, "groupings"), { threshold: Number(threshold.value) }),
    );
    if (job) await show(job);
  }
  async function show(job) {
    const ended = await followJob(job, place, signal);
    if (ended?.state !== "succeeded") return;
    const all = ended.result.groups ?? [];
    put(found, all.length ? all.slice(0, 50).map((one) => group(gallery, one)) : h("p", { class: "empty" }, "No two unknowns look alike enough."),
      all.length > 50 && h(
        "p",
        { class: "hint" },
        `${plural(all.length - 50, "smaller group")} are not shown; name these first and look again.`,
      ));
  }
  const known = (await get("v1/jobs", { order: "desc", limit: 100 }, { signal }).catch(() => ({ items: [] }))).items;
  const running = known.find(
    (one) => one.kind === "grouping" && one.gallery === gallery && ["waiting", "running"].includes(one.state)
  );
  if (running) show(running);
}

function group(gallery, { identities, score: least }) {
  let boxes = identities.map(
    (name) => [name, h("input", { type: "checkbox", checked: true, "aria-label": `${name} belongs to it` })]
  );
  const label = h("input", { type: "text", required: true, maxlength: 256, autocomplete: "off" });
  const place = h("div", { class: "place" });
  const go = h("button", { class: "primary" }, "Name and merge");
  const element = h("form", { class: "card", on: { submit } },
    h(
      "h2",
      {},
      plural(identities.length, "identity", "identities"),
      " ",
      h("span", { class: "hint" }, `at a score of ${score(least)} or more`),
    ),
    h(
      "ul",
      { class: "grid" },
      boxes.slice(0, 24).map(
        ([name, box]) => h("li", { class: "card seen" }, portrait(gallery, name),
          h("div", { class: "row" }, h("label", { class: "tick" }, box, name), h("span", { class: "gap" }),
            h("button", {
              type: "button", class: "small", "aria-label": `${name} is not the same as the others`,
              on: { click: (event) => leaveOut(name, event.currentTarget) },
            }, "Not the same")))
      ),
    ),
    identities.length > 24 && h("p", { class: "hint" }, `and ${identities.length - 24} more`),
    h("div", { class: "row end" }, field("Label", label), go), place);
  async function leaveOut(name, button) {
    const others = boxes.map(([other]) => other).filter((other) => other !== name);
    if (!(await act(button, place, () => tellApart(gallery, name, others, `${name} is not the same as the others.`)))) return;
    boxes = boxes.filter(([other]) => other !== name);
    button.closest("li").remove();
    if (boxes.length < 2) element.remove();
  }
  async function submit(event) {
    event.preventDefault();
    const [first, ...rest] = boxes.filter(([, box]) => box.checked).map(([name]) => name);
    if (!first) return;
    const answer = await act(go, place, async () => {
      await patch(path("v1/galleries", gallery, "identities", first), { label: label.value.trim() });
      return rest.length ? post(
        inGallery(gallery, "identities", first, "merge"),
        { identities: rest.slice(0, 100) },
      ) : {};
    });
    if (!answer) return;
    if (answer.undo) corrected(`${label.value} was named.`, [answer]);
    element.remove();
  }
  return element;
}
