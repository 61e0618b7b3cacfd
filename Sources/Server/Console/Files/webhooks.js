// Who is called with what happens.

import { h, put, field, tick } from "./dom.js";
import { get, path, post, remove } from "./api.js";
import { act, load } from "./notice.js";
import { may } from "./access.js";
import { ask } from "./dialog.js";
import { count, time } from "./format.js";

const kinds = {
  enrolled: "enrolled", matched: "recognised", new: "new identity", watchlist: "on the watchlist", erased: "erased", model: "another model",
};
const tones = { active: "good", failing: "warn", dead: "bad" };

export default async function webhooks(root, { signal }) {
  const list = h("div");
  const redraw = () => load(list, signal, async () => {
    const { items } = await get("v1/webhooks", {}, { signal });
    if (!items.length) return h("p", { class: "empty" }, "Nobody is called.");
    return h("ul", { class: "events" }, items.map((one) => h("li", { class: "card" }, card(one, redraw))));
  });
  put(root,
    h("div", { class: "head" },
      h("div", { class: "lead" }, h("h1", {}, "Webhooks"), h("p", {}, "Each event is posted to an address, signed, one after the other; what fails is repeated.")),
      h("button", { on: { click: redraw } }, "Look again"),
      may("makeWebhook") && h("button", { class: "primary", on: { click: () => make(redraw) } }, "New webhook")),
    list);
  await redraw();
}

function card(one, redraw) {
  const place = h("div", { class: "place" });
  const revive = h("button", { class: "small", on: { click: async () => {
    if (await act(revive, place, () => post(path("v1/webhooks", one.id, "revive")))) redraw();
  } } }, "Call it again now");
  const erase = h("button", { class: "small", "aria-label": `End ${one.url}`, on: { click: () => end(one, redraw) } }, "End …");
  const facts = [
    ["Taken", count(one.delivered)], ["Behind", count(one.behind)], ["Since", time(one.created_at)],
    one.failures > 0 && ["Failed in a row", count(one.failures)], one.failing_since && ["Failing since", time(one.failing_since)],
    one.next_at && ["Called again", time(one.next_at)],
  ].filter(Boolean);
  return h("div", { class: "stack" },
    h("div", { class: "row" }, h("strong", { class: "address" }, one.url), h("span", { class: `pill ${tones[one.state] ?? ""}` }, one.state),
      h("span", { class: "gap" }), one.state !== "active" && may("reviveWebhook") && revive, may("endWebhook") && erase),
    h("p", { class: "hint" }, wanted(one.filter)),
    h("dl", { class: "facts" }, facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
    one.last_error && h("p", { class: "wrong" }, one.last_error),
    place);
}

function wanted(filter) {
  const words = [filter.kinds?.map((one) => kinds[one] ?? one).join(", ") ?? "everything",
    filter.galleries && `in ${filter.galleries.join(", ")}`, filter.cameras && `by ${filter.cameras.join(", ")}`,
    filter.identities && `of ${filter.identities.join(", ")}`];
  return words.filter(Boolean).join(" · ");
}

async function end(one, redraw) {
  const done = await ask({ title: "End this webhook?", verb: "End it", isDangerous: true,
    contents: [h("p", {}, `${one.url} is called no more. Made anew, it begins with the next event.`)],
    work: () => remove(path("v1/webhooks", one.id)) });
  if (done) redraw();
}

async function make(redraw) {
  const url = h("input", { type: "url", required: true, maxlength: 2048, autocomplete: "off" });
  const some = (placeholder) => h("input", { type: "text", placeholder, autocomplete: "off" });
  const [galleries, cameras, identities] = [some("all"), some("all"), some("all")];
  const ticks = Object.entries(kinds).map(([kind, name]) => [kind, name, h("input", { type: "checkbox" })]);
  const made = await ask({ title: "New webhook", verb: "Make it",
    contents: [field("Address", url, { hint: "By https, where the events may be known." }),
      h("fieldset", {}, h("legend", {}, "What (none ticked: everything)"), h("div", { class: "row" }, ticks.map(([, name, box]) => tick(name, box)))),
      field("Galleries", galleries, { hint: "With commas between them; empty: all." }), field("Cameras", cameras), field("Identities", identities)],
    work: () => {
      const names = (input) => input.value.split(",").map((one) => one.trim()).filter(Boolean);
      const filter = { kinds: ticks.filter(([, , box]) => box.checked).map(([kind]) => kind), galleries: names(galleries),
        cameras: names(cameras), identities: names(identities) };
      const given = Object.fromEntries(Object.entries(filter).filter(([, values]) => values.length));
      return post("v1/webhooks", { url: url.value.trim(), filter: given });
    } });
  if (made) redraw();
}
