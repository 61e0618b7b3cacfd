// Prometheus's text format, and what is made of two readings of it.

const line = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/;

/** All samples of a page: `[{name, labels, value}]`. */
export function parse(text) {
  return text.split("\n").filter((one) => one && !one.startsWith("#")).map((one) => {
    const [, name, inner = "", value] = line.exec(one) ?? [];
    const labels = Object.fromEntries(
      [...inner.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text2]) => [key, text2])
    );
    return { name, labels, value: Number(value.replace("Inf", "Infinity")) };
  }).filter((one) => one.name);
}

export const sum = (samples, name, admits = () => true) =>
  samples.filter((one) => one.name === name && admits(one.labels)).reduce((all, one) => all + one.value, 0);

export const has = (samples, name) => samples.some((one) => one.name === name);

/** The value below which a share of what was observed between two readings lies, from a histogram's buckets; null without any. */
export function quantile(before, after, name, share, admits) {
  const bounds = [
    ...new Set(after.filter((one) => one.name === `${name}_bucket`).map((one) => one.labels.le)),
  ].map((le) => [le === "+Inf" ? Infinity : Number(le), le]).sort((a, b) => a[0] - b[0]);
  const within = (le) => (labels) => labels.le === le && (!admits || admits(labels));
  const counts = bounds.map(
    ([, le]) => sum(after, `${name}_bucket`, within(le)) - sum(before, `${name}_bucket`, within(le))
  );
  const all = counts.at(-1) ?? 0;
  if (!(all > 0)) return null;
  const index = counts.findIndex((value) => value >= share * all);
  const [low, high] = [index > 0 ? bounds[index - 1][0] : 0, bounds[index][0]];
  if (!Number.isFinite(high)) return low;
  const below = index > 0 ? counts[index - 1] : 0;
  return low + ((share * all - below) / Math.max(counts[index] - below, 1e-9)) * (high - low);
}
