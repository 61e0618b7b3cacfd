// Questions that must be answered before anything is done.

import { h, field, put } from "./dom.js";
import { act } from "./notice.js";

/** Opens a dialog with `contents` and buttons; `work(signal)` is done when the main one is pressed, and the dialog stays, with
    all that was typed, if that fails. Gives what it gave, or undefined if the dialog was closed. */
export function ask({ title, contents, verb, isDangerous, work, wide }) {
  return new Promise((resolve) => {
    const place = h("div", { class: "place", "aria-live": "polite" });
    const main = verb && h("button", { class: isDangerous ? "danger" : "primary" }, verb);
    let result;
    const dialog = h("dialog", { class: wide ? "wide" : "", "aria-label": title, on: { close: () => { dialog.remove(); resolve(result); } } },
      h("form", { method: "dialog", on: { submit } },
        h("h2", {}, title), contents, place,
        h("div", { class: "buttons" },
          h("button", { type: "button", on: { click: () => dialog.close() } }, verb ? "Cancel" : "Close"), main)));
    async function submit(event) {
      event.preventDefault();
      if (!main) return dialog.close();
      const value = await act(main, place, async (signal) => (await work(signal)) ?? true);
      if (value === undefined) return undefined;
      result = value;
      return dialog.close();
    }
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Asks for one line. */
export function askText({ title, label, value = "", hint, verb, isOptional, suggestions, more, work }) {
  const input = h("input", { type: "text", value, required: !isOptional, maxlength: 256, autocomplete: "off" });
  const list = h("datalist", { id: "suggestions" });
  if (suggestions) {
    input.setAttribute("list", list.id);
    suggestions().then((names) => put(list, names.map((name) => h("option", { value: name }))), () => {});
  }
  return ask(
    {
      title,
      verb,
      contents: [field(label, input, { hint }), list, more],
      work: (signal) => work(input.value.trim(), signal),
    }
  );
}
