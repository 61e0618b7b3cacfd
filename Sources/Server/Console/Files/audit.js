// Who has changed, erased and read what.

import { h, put, field } from "./dom.js";
import { paged } from "./paging.js";
import { count, time } from "./format.js";

export default async function audit(root, { signal }) {
  const list = h("section", { class: "card" });
  const text = () => h("input", { type: "text", autocomplete: "off" });
  const [by, action, gallery] = [text(), text(), text()];
  function show(event) {
    event?.preventDefault();
    const filter = { order: "desc", by: by.value.trim(), action: action.value.trim(), gallery: gallery.value.trim() };
    put(list, paged("v1/audit", filter, signal, table, { empty: "Nothing of that kind.", limit: 100, label: "Pages of the audit log" }));
  }
  put(root,
    h("div", { class: "lead" }, h("h1", {}, "Audit"),
      h("p", {}, "Who has changed, erased and read what, the last first. Enrolments and reads are counted by the hour; rows are named, never people or pictures.")),
    h("form", { class: "row end", on: { submit: show } }, field("Key", by, { draft: "audit.by" }), field("Action", action, { draft: "audit.action" }),
      field("Gallery", gallery, { draft: "audit.gallery" }), h("button", { class: "primary" }, "Show")),
    list);
  show();
}

/** A path may go on in the next line after each slash. */
const parted = (action) => action.split(/(?<=\/)/).flatMap((part) => [part, h("wbr")]);

function table(items) {
  return h("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": "Audit log" }, h("table", {},
    h("thead", {}, h("tr", {}, ["When", "What", "How many", "Gallery", "Row", "Key"].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, items.map((one) => h("tr", {}, h("td", { class: "when" }, time(one.at)), h("td", { class: "what" }, h("code", {}, parted(one.action))), h("td", {}, count(one.count)),
      h("td", {}, one.gallery ?? one.gallery_id ?? "–"), h("td", {}, one.subject ?? "–"), h("td", {}, one.key ? h("code", {}, one.key) : "–"))))));
}
