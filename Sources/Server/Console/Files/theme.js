// Light or dark, as the system has it or as the reader wants it.

import { h } from "./dom.js";

const slot = "triptych.theme";
const names = { "": "Auto", light: "Light", dark: "Dark" };

function apply(value) {
  if (value) document.documentElement.dataset.theme = value;
  else delete document.documentElement.dataset.theme;
}

apply(localStorage.getItem(slot) ?? "");

export function themeSwitch() {
  const chosen = localStorage.getItem(slot) ?? "";
  const choice = h("select", { "aria-label": "Colours", class: "theme", on: { change } },
    Object.entries(names).map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
  function change() {
    localStorage.setItem(slot, choice.value);
    apply(choice.value);
    dispatchEvent(new Event("themechange"));
  }
  return choice;
}
