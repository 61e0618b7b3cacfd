// Asking the server. Keys go into a header, never into an address.

import { key, signIn } from "./session.js";

const base = new URL("../", import.meta.url);

/** What a server says of what went wrong (RFC 9457), or what is wrong on the way to it. */
export class Problem extends Error {
  constructor(status, detail, { type = "", instance = "", field = "", modality = "" } = {}) {
    super(detail);
    Object.assign(this, { status, instance, field, modality, type: type.split(":").pop() });
  }

  /** Whether the server lacks what was asked for, rather than what it was asked about. */
  get isMissing() {
    return ["no-such-path", "method-not-allowed"].includes(this.type);
  }
}

/** Told of `away` and `back` as the server goes and comes. */
export const server = new EventTarget();
let isAway = false;

export function isServerAway() {
  return isAway;
}

function noteAnswer() {
  if (!isAway) return;
  isAway = false;
  server.dispatchEvent(new Event("back"));
}

function noteSilence() {
  if (isAway) return;
  isAway = true;
  server.dispatchEvent(new Event("away"));
  const again = async () => {
    try {
      await fetch(new URL("healthz", base), { cache: "no-store" });
      noteAnswer();
    } catch {
      setTimeout(again, 2000);
    }
  };
  setTimeout(again, 1000);
}

/** A path of its parts: `path("v1/galleries", name)`. */
export function path(first, ...rest) {
  return [first, ...rest.map((part) => encodeURIComponent(part))].join("/");
}

export const inGallery = (gallery, ...rest) =>
  path("v1/galleries", gallery, ...rest);

async function problem(response) {
  const id = response.headers.get("X-Request-Id") ?? "";
  try {
    const body = await response.json();
    return new Problem(response.status, body.detail ?? body.title, { instance: id, ...body });
  } catch {
    return new Problem(response.status, `the server answered ${response.status}`, { instance: id });
  }
}

/** Sends a request, asks for a key if one is needed, and throws a `Problem` for every other answer than a good one. */
export async function send(method, where, { json, body, query, headers = {}, signal } = {}) {
  const url = new URL(where, base);
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const one of [value].flat()) if (one !== undefined && one !== null && one !== "") url.searchParams.append(name, one);
  }
  const sent = { ...headers };
  if (json !== undefined) sent["Content-Type"] = "application/json";
  for (;;) {
    const used = key();
    if (used) sent.Authorization = `Bearer ${used}`;
    let response;
    try {
      response = await fetch(url, {
        method, signal, headers: sent, body: json === undefined ? body : JSON.stringify(json), cache: "no-store",
        credentials: "omit", redirect: "error",
      });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      noteSilence();
      throw new Problem(0, "the server does not answer");
    }
    noteAnswer();
    if (response.ok) return response;
    const found = await problem(response);
    if (response.status !== 401) throw found;
    // What was asked is asked again, so nothing that was typed is lost.
    await signIn(used ? found : null, used);
  }
}

export async function get(where, query, options) {
  return (await send("GET", where, { query, ...options })).json();
}

export async function post(where, json, options) {
  const response = await send("POST", where, { json, ...options });
  return response.status === 204 ? null : response.json();
}

export async function patch(where, json) {
  return (await send("PATCH", where, { json })).json();
}

export async function remove(where) {
  const response = await send("DELETE", where);
  return response.status === 200 || response.status === 202 ? response.json() : null;
}

let contract;

/** Whether the server's contract has a word, such as `by_exemplar`: older servers lack operations that newer ones have. */
export async function knows(word) {
  contract ??= send("GET", "openapi.yaml").then((response) => response.text()).catch(
    () => { contract = undefined; return ""; }
  );
  return (await contract).includes(word);
}
