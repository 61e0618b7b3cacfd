// Values as people read them.

const numbers = new Intl.NumberFormat("en");
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export const count = (value) => numbers.format(value);
export const short = (value) => compact.format(value);
export const score = (value) => (value === null || value === undefined ? "–" : value.toFixed(3));
export const percent = (value) => `${(100 * value).toFixed(value > 0 && value < 0.1 ? 1 : 0)} %`;
export const plural = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;
export const digest = (value) => (value ? `${value.slice(0, 10)}…` : "–");

export function bytes(value) {
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (value < 1000) return `${value < 10 && unit !== "B" ? value.toFixed(1) : Math.round(value)} ${unit}`;
    value /= 1000;
  }
  return `${value.toFixed(1)} TB`;
}

/** Local time, to the second where that says something. */
export function time(text) {
  if (!text) return "no time";
  return new Date(text).toLocaleString([], { dateStyle: "medium", timeStyle: "medium" });
}

export function clock(text) {
  return new Date(text).toLocaleTimeString([], { timeStyle: "medium" });
}

export function span(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} d`;
}

export const modalities = ["rgb", "nir", "tir"];
export const modalityNames = { rgb: "Visible", nir: "Near infrared", tir: "Thermal" };
/** In the one order. */
export const ordered = (some) => modalities.filter((one) => some.includes(one));
