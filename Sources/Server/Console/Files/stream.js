// Server-sent events (WHATWG HTML, section 9.2), read from a fetched body, since EventSource can send no key.

import { send, Problem } from "./api.js";

/** Splits a stream of text into events. Feed it with what comes; it calls `emit({id, event, data})`. */
export function parser(emit) {
  let rest = "";
  let fields = { event: "message", data: [] };
  let id = "";
  return (text) => {
    rest += text;
    const lines = rest.split(/\r\n|\n|\r/);
    rest = lines.pop();
    for (const line of lines) {
      if (line === "") {
        if (fields.data.length) emit({ id, event: fields.event, data: fields.data.join("\n") });
        fields = { event: "message", data: [] };
        continue;
      }
      const colon = line.indexOf(":");
      if (colon === 0) continue;
      const name = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (name === "data") fields.data.push(value);
      else if (name === "event") fields.event = value;
      else if (name === "id") id = value;
    }
  };
}

const pause = (seconds, signal) => new Promise((resolve) => {
  const timer = setTimeout(resolve, seconds * 1000);
  signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
});

/** Follows a path until `signal` or `onEvent` says that it is enough (by `true`). When the connection breaks it comes again, from
    the last event that it has seen. `onState` is told `open`,
    `waiting` with the seconds,
    and `lost` with a problem that will not
    pass. */
export async function follow(where, { query, signal, onEvent, onState, last = "" }) {
  let wait = 1;
  let isDone = false;
  while (!signal.aborted && !isDone) {
    try {
      const headers = last === "" ? {} : { "Last-Event-ID": last };
      const response = await send("GET", where, { query, headers, signal });
      onState?.("open");
      wait = 1;
      const read = parser((event) => {
        if (event.id) last = event.id;
        isDone = onEvent({ ...event, data: JSON.parse(event.data) }) === true || isDone;
      });
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { value, done } = await withLimit(reader.read(), 30);
        if (done || isDone) break;
        read(value);
      }
      await reader.cancel();
    } catch (error) {
      if (signal.aborted) return;
      const isPassing = !(error instanceof Problem) || error.status === 0 || error.status === 503 || error.status === 429;
      if (!isPassing) {
        onState?.("lost", error);
        return;
      }
    }
    if (isDone || signal.aborted) return;
    onState?.("waiting", wait);
    await pause(wait, signal);
    wait = Math.min(wait * 2, 30);
  }
}

/** A server says something every ten seconds at least; one that does not is gone. */
function withLimit(promise, seconds) {
  let timer;
  const limit = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error("silence")), seconds * 1000); });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}
