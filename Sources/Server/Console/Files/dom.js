// Making elements. Text only ever becomes text: nothing here parses markup.

const properties = new Set(["value", "checked", "disabled", "indeterminate", "selected", "open", "hidden", "tabIndex"]);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (name === "vars") {
      // By script, since the policy allows no style attributes.
      for (const [key, text] of Object.entries(value)) element.style.setProperty(`--${key}`, text);
    } else if (properties.has(name) && name in element) {
      element[name] = value;
    } else if (value !== false) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false)
  );
  return element;
}

/** An element: `h("button", {class: "plain", on: {click}}, "Go")`. */
export function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same in SVG. */
export function svg(tag, attributes, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/** Puts other contents in place of an element's. */
export function put(element, ...children) {
  element.replaceChildren(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false)
  );
  return element;
}

let counter = 0;
export function uniqueID(prefix = "e") {
  counter += 1;
  return `${prefix}${counter}`;
}

/** A control under its name. What is typed is remembered under `draft` until the page is closed. */
export function field(label, control, { hint, draft } = {}) {
  control.id ||= uniqueID("f");
  if (draft) remember(control, draft);
  const hintID = hint && uniqueID("hint");
  if (hint) control.setAttribute("aria-describedby", hintID);
  return h("div", { class: "field" },
    h("label", { for: control.id }, label), control, hint && h("p", { class: "hint", id: hintID }, hint));
}

/** A tick box before its name. */
export function tick(label, control) {
  return h("label", { class: "tick" }, control, h("span", {}, label));
}

export function select(options, value, on) {
  return h("select", { on },
    options.map(([key, text]) => h("option", { value: key, selected: key === value }, text)));
}

const drafts = new Map();

/** Keeps what is typed into a control when its view is left or fails. */
export function remember(control, key) {
  const name = control.type === "checkbox" ? "checked" : "value";
  if (drafts.has(key)) control[name] = drafts.get(key);
  control.addEventListener("input", () => drafts.set(key, control[name]));
}

export function forget(prefix) {
  for (const key of drafts.keys()) if (key.startsWith(prefix)) drafts.delete(key);
}
