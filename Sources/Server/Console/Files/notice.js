// What went well, what went wrong, and what takes long, each at its place.

import { h, put } from "./dom.js";
import { server } from "./api.js";

/** Says something in passing; `undo`, if there is one, is offered with it. */
export function toast(text, undo) {
  const item = h("div", { class: "toast" }, h("span", {}, text));
  const end = () => item.remove();
  if (undo) {
    item.append(h("button", { class: "plain", on: { click: () => { end(); undo(); } } }, "Undo"));
  }
  item.append(h("button", { class: "plain quiet", "aria-label": "Dismiss", on: { click: end } }, "×"));
  document.getElementById("toasts").append(item);
  setTimeout(end, undo ? 20000 : 8000);
}

/** What went wrong, in words, with the request's identifier, and the way to try again. */
export function wrongBox(problem, again) {
  const words = problem.isMissing ? "This server is too old for this." : `${sentence(problem.message)}`;
  return h("div", { class: "wrong-box", role: "alert" },
    h("p", {}, words, hints[problem.type] ? ` ${hints[problem.type]}` : ""),
    problem.instance && h("p", { class: "hint" }, "Request ", h("code", {}, problem.instance)),
    again && h("button", { on: { click: again } }, "Try again"));
}

const hints = {
  "role-too-low": "Sign in with a key that may do this.",
  "other-gallery": "This key is for other galleries.",
  overloaded: "The server is busy; try again in a moment.",
  "no-threshold": "Set thresholds for the gallery first.",
  "identity-not-found": "It may have been erased, renamed or merged meanwhile.",
  "sighting-not-found": "It may have been erased or moved meanwhile.",
};

export function sentence(text) {
  // What begins with a field's name keeps it as it is.
  const whole = /^[\w.]+:/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

/** Does what a button asks for: it cannot be pressed twice, a long wait is said and can be ended, and failures are told in
    `place`. Gives what `work(signal)` gives, or undefined. */
export async function act(button, place, work) {
  if (button?.getAttribute("aria-busy") === "true") return undefined;
  const controller = new AbortController();
  button?.setAttribute("aria-busy", "true");
  put(place);
  const start = Date.now();
  const timer = setInterval(() => {
    const seconds = Math.round((Date.now() - start) / 1000);
    if (seconds < 2) return;
    const text = `Still waiting for the server, ${seconds} s …`;
    const shown = place.querySelector(".slow span");
    if (shown) shown.textContent = text;
    else put(place, h("div", { class: "slow" }, h("span", {}, text),
      h("button", { on: { click: () => controller.abort() } }, "Stop waiting")));
  }, 500);
  try {
    const value = await work(controller.signal);
    put(place);
    return value;
  } catch (error) {
    if (error.name === "AbortError") put(place, h("p", { class: "hint" }, "Stopped."));
    else put(place, wrongBox(asProblem(error)));
    return undefined;
  } finally {
    clearInterval(timer);
    button?.removeAttribute("aria-busy");
  }
}

function asProblem(error) {
  if (!("status" in error)) console.error(error);
  return "status" in error ? error : { message: `the console failed: ${error.message}`, type: "", instance: "" };
}

/** Fills a place with what `make(signal)` gives once it has it; until then says so, and afterwards what went wrong. What failed
    because the server was away is done again when it is back. */
export async function load(place, signal, make) {
  put(place, h("p", { class: "loading", role: "status" }, "Loading …"));
  try {
    const made = await make(signal);
    if (!signal.aborted) put(place, made);
  } catch (error) {
    if (signal.aborted || error.name === "AbortError") return;
    const again = () => load(place, signal, make);
    put(place, wrongBox(asProblem(error), again));
    if (error.status === 0) server.addEventListener("back", again, { once: true, signal });
  }
}
