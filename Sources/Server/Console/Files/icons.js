// A line drawing for each view.

import { svg } from "./dom.js";

const paths = {
  query: "M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13M15.5 15.5 20 20",
  identities: "M4 5h7v6H4zM13 5h7v6h-7zM4 13h7v6H4zM13 13h7v6h-7z",
  live: "M4 12h3l3-7 4 14 3-7h3",
  map: "M6 7h.01M10 16h.01M9 10h.01M16 8h.01M18 13h.01M14 17h.01M5 18h.01M19 5h.01",
  quality: "M4 20V4M4 20h16M8 16c2-8 3-8 4-4s3 3 6-6",
  thresholds: "M4 8h9M17 8h3M4 16h3M11 16h9M15 6v4M9 14v4",
  models: "M12 3 4 7.5v9L12 21l8-4.500v-9zM4 7.500l8 4.500 8-4.500M12 12v9",
  jobs: "M12 4a8 8 0 1 0 8 8M12 8v4l3 2M17 3l3 3-3 3",
  keys: "M12 12a4 4 0 1 0-8 0 4 4 0 0 0 8 0M12 12h8M17 12v4",
  webhooks: "M12 4v9M8 9l4 4 4-4M5 16v4h14v-4",
  audit: "M6 4h12v16H6zM9 8h6M9 12h6M9 16h4",
  health: "M12 20S4 15 4 9a4 4 0 0 1 8-1 4 4 0 0 1 8 1c0 6-8 11-8 11",
};

export function icon(name) {
  return svg("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, svg("path", { d: paths[name] }));
}
