// Who asks. A key is kept in memory, or if the user says so until the tab closes; never in an address, never on the disk.

import { h, field, tick } from "./dom.js";

const slot = "triptych.key";
let current = sessionStorage.getItem(slot) ?? "";
let asking = null;

export const key = () => current;
export const session = new EventTarget();

function take(value, isKept) {
  current = value;
  if (value && isKept) sessionStorage.setItem(slot, value);
  else sessionStorage.removeItem(slot);
  session.dispatchEvent(new Event("change"));
}

export function signOut() {
  take("", false);
  location.reload();
}

/** Asks for a key, once for all requests that wait for one. `refused` is what the server said of the key `used`. */
export function signIn(refused, used = "") {
  // Another request has got a new one meanwhile.
  if (used !== current) return Promise.resolve();
  asking ??= ask(refused).finally(() => { asking = null; });
  return asking;
}

function ask(refused) {
  return new Promise((resolve) => {
    const input = h(
      "input",
      { type: "password", autocomplete: "off", spellcheck: "false", required: true, placeholder: "triptych_…" },
    );
    const kept = h("input", { type: "checkbox", checked: true });
    const wrong = h("p", { class: "wrong", role: "alert" });
    if (refused) {
      wrong.textContent = `This key was refused: ${refused.message}.` + (
        refused.instance ? ` Request ${refused.instance}.` : ""
      );
    }
    const dialog = h("dialog", { class: "sign-in", "aria-labelledby": "sign-in-title" },
      h("form", { method: "dialog", novalidate: true, on: { submit } },
        h("img", { src: "icon.svg", alt: "", width: 40, height: 40 }),
        h("h2", { id: "sign-in-title" }, "Sign in to Triptych"),
        h(
          "p",
          {},
          "This server asks for a key. Whoever runs it makes one with “triptych keys create”, or under Keys here.",
        ),
        field("Key", input), tick("Keep it until this tab is closed", kept), wrong,
        h("div", { class: "buttons" }, h("button", { class: "primary" }, "Sign in"))));
    function submit(event) {
      event.preventDefault();
      const value = input.value.trim();
      if (!/^triptych_[0-9a-f]{12}_[0-9a-f]{64}$/.test(value)) {
        wrong.textContent = "A key looks like triptych_, twelve digits or letters a to f, _, and sixty-four more.";
        input.focus();
        return;
      }
      dialog.close();
      dialog.remove();
      take(value, kept.checked);
      resolve();
    }
    // There is nothing to see without one.
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    document.body.append(dialog);
    dialog.showModal();
    input.focus();
  });
}
