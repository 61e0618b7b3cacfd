// Who may do what.

import { h, put, field, select } from "./dom.js";
import { get, path, post, remove } from "./api.js";
import { load } from "./notice.js";
import { may } from "./access.js";
import { ask } from "./dialog.js";
import { time } from "./format.js";

const roles = [
  ["read", "read: ask and look"],
  ["enrol", "enrol: also enrol and correct"],
  ["admin", "admin: everything"],
];

export default async function keys(root, { signal }) {
  const list = h("div");
  const redraw = () => load(list, signal, async () => {
    const { items } = await get("v1/keys", {}, { signal });
    if (!items.length) {
      return h("p", { class: "empty" }, "No key was ever made, so whoever can connect may do everything. "
        + "The first one must be an admin's; from then on every request takes a key.");
    }
    return h("div", { class: "scroll" }, h("table", {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          ["Name", "Role", "Galleries", "A minute", "Made", "Ends"].map((name) => h("th", { scope: "col" }, name)),
          h("td"),
        ),
      ),
      h("tbody", {}, items.map((one) => row(one, redraw)))));
  });
  put(root, h("div", { class: "head" }, h("div", { class: "lead" }, h("h1", {}, "Keys"), h("p", {}, "A key says who asks, and what that may do.")),
    may("makeKey") && h("button", { class: "primary", on: { click: () => make(redraw) } }, "New key")), h("section", { class: "card" }, list));
  await redraw();
}

function row(one, redraw) {
  const isPast = one.revoked_at || (one.expires_at && new Date(one.expires_at) < new Date());
  return h("tr", {}, h("td", {}, h("strong", {}, one.name), " ", h("code", { class: "hint" }, one.id)), h("td", {}, one.role),
    h("td", {}, one.galleries?.join(", ") ?? "all"),
    h("td", {}, one.requests_per_minute ?? "–"),
    h("td", {}, time(one.created_at)),
    h("td", {}, one.expires_at ? time(one.expires_at) : "never"),
    h("td", {}, isPast ? h("span", { class: "pill" }, one.revoked_at ? `revoked ${time(one.revoked_at)}` : "ended")
      : may("revoke") && h(
        "button",
        { class: "small", "aria-label": `Revoke ${one.name}`, on: { click: () => revoke(one, redraw) } },
        "Revoke …",
      )));
}

async function revoke(one, redraw) {
  const done = await ask({ title: `Revoke ${one.name}?`, verb: "Revoke", isDangerous: true,
    contents: [
      h(
        "p",
        {},
        "It is useless at once and for ever; streams that were opened with it end. If it is the one you use here, you will be asked for another.",
      ),
    ],
    work: () => remove(path("v1/keys", one.id)) });
  if (done) redraw();
}

async function make(redraw) {
  const text = (attributes) => h("input", { type: "text", autocomplete: "off", ...attributes });
  const name = text({ required: true, maxlength: 128 });
  const role = select(roles, "read");
  const galleries = text({ placeholder: "all" });
  const rate = h("input", { type: "number", min: 1, max: 1000000, placeholder: "as configured" });
  const ends = h("input", { type: "datetime-local" });
  const made = await ask({ title: "New key", verb: "Make it",
    contents: [field("Name", name), field("Role", role), field("Galleries", galleries, { hint: "With commas between them; empty: all." }),
      field("Requests a minute", rate), field("Ends", ends, { hint: "Empty: never." })],
    work: () => {
      const some = galleries.value.split(",").map((one) => one.trim()).filter(Boolean);
      return post("v1/keys", { name: name.value.trim(), role: role.value, galleries: some.length ? some : null,
        requests_per_minute: rate.value ? Number(rate.value) : null,
        expires_at: ends.value ? new Date(ends.value).toISOString() : null});
    } });
  if (!made) return;
  await ask({ title: "The key, shown this once", contents: [
    h("p", {}, "Copy it now: the server keeps only a digest of it."), h("code", { class: "token" }, made.token),
    h("button", { type: "button", on: { click: (event) => copy(event.currentTarget, made.token) } }, "Copy")] });
  redraw();
}

async function copy(button, text) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Select it and copy";
  }
}
