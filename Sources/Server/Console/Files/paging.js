// Lists that come in pages; one page is drawn at a time, so a million entries cost no more than fifty.

import { h, put } from "./dom.js";
import { get } from "./api.js";
import { load } from "./notice.js";
import { count } from "./format.js";

/** Pages of the list at a path, with `draw(items)` making what one shows. `empty` is said where there is nothing. */
export function paged(where, query, signal, draw, { empty = "Nothing here yet.", limit = 48, label = "Pages" } = {}) {
  const contents = h("div");
  const cursors = [""];
  const buttons = h("nav", { class: "pages", "aria-label": label });
  const root = h("div", { class: "paged" }, contents, buttons);
  async function turn() {
    put(buttons);
    await load(contents, signal, async () => {
      const page = await get(where, { ...query, limit, cursor: cursors.at(-1) }, { signal });
      const number = cursors.length;
      if (number > 1 || page.next) {
        put(buttons,
          h("button", { disabled: number === 1, on: { click: () => { cursors.pop(); turn(); } } }, "← Back"),
          h("span", {}, `Page ${count(number)}`),
          h("button", { disabled: !page.next, on: { click: () => { cursors.push(page.next); turn(); } } }, "Next →"));
      }
      if (!page.items.length) return h("p", { class: "empty" }, empty);
      return draw(page.items);
    });
  }
  turn();
  root.reload = turn;
  return root;
}
