// The frame around the views: which one is shown, of which gallery, and how the server is.

import { h, put, select, field } from "./dom.js";
import { get, post, server } from "./api.js";
import { key, session, signOut } from "./session.js";
import { access, closed, isClosed, lacking, learn, may, who } from "./access.js";
import { load, wrongBox } from "./notice.js";
import { ask } from "./dialog.js";
import { themeSwitch } from "./theme.js";
import { address, place, remembered, rememberGallery } from "./places.js";
import { icon } from "./icons.js";
// All of them at once, so that none is missing when the server is away.
import query from "./query.js";
import identities from "./identities.js";
import corrections from "./corrections.js";
import groups from "./groups.js";
import live from "./live.js";
import map from "./map.js";
import quality from "./quality.js";
import models from "./models.js";
import thresholds from "./thresholds.js";
import jobs from "./jobs.js";
import webhooks from "./webhooks.js";
import audit from "./audit.js";
import keys from "./keys.js";
import health from "./health.js";

const drawn = { query, identities, corrections, groups, live, map, quality, thresholds, models, jobs, webhooks, keys, audit, health };

const views = {
  query: "Query",
  identities: "Identities",
  live: "Live",
  map: "Map",
  quality: "Quality",
  thresholds: "Thresholds",
  models: "Models",
  jobs: "Jobs",
  webhooks: "Webhooks",
  keys: "Keys",
  audit: "Audit",
  health: "Health",
};
const ofServer = new Set(["models", "jobs", "webhooks", "keys", "audit", "health"]);
const main = document.getElementById("main");
let galleries = [];
let leaving = new AbortController();

async function show() {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const here = place();
  const view = Object.hasOwn(drawn, here.view) ? here.view : "query";
  document.title = `${views[view] ?? "Identities"} – Triptych`;
  drawNavigation(view);
  const contents = h("div", { class: `view ${view}` });
  put(main, contents);
  await load(contents, signal, async () => {
    await Promise.all([listGalleries(here.gallery), learn()]);
    drawBar();
    drawNavigation(view);
    if (isClosed(view)) return closed(view, views[view] ?? "Name unknowns");
    if (!ofServer.has(view) && !place().gallery) return welcome();
    const made = h("div", { class: "stack" });
    await drawn[view](made, { ...place(), signal });
    return made;
  });
}

/** All galleries, once; whoever comes without one gets the last, or else the first. */
async function listGalleries(wanted) {
  if (!galleries.length || (wanted && !galleries.some((one) => one.name === wanted))) {
    const page = await get("v1/galleries", { limit: 1000 });
    galleries = page.items;
  }
  const names = galleries.map((one) => one.name);
  const name = [wanted, remembered(), names[0]].find((one) => one && names.includes(one)) ?? wanted ?? "";
  rememberGallery(name);
}

function drawNavigation(view) {
  put(document.getElementById("nav"), h("ul", {}, Object.entries(views).filter(([name]) => !isClosed(name)).map(([name, title]) => h("li", {},
    h(
      "a",
      { href: address(name), "aria-current": name === (views[view] ? view : "identities") ? "page" : null },
      icon(name),
      h("span", {}, title),
    )))));
  document.querySelector("#nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
}

function drawBar() {
  const { gallery } = place();
  const choice = select(galleries.map((one) => [one.name, one.label ? `${one.label} (${one.name})` : one.name]), gallery, {
    change: () => { rememberGallery(choice.value); location.hash = address(place().view || "query", []); },
  });
  choice.setAttribute("aria-label", "Gallery");
  put(document.getElementById("bar"),
    h(
      "a",
      { class: "brand", href: address("query"), "aria-label": "Triptych, to the query" },
      h("img", { src: "icon.svg", alt: "", width: 26, height: 26 }),
      h("strong", {}, "Triptych"),
    ),
    galleries.length > 0 && choice,
    access() && may("makeGallery") && h("button", { class: "plain", title: "New gallery", "aria-label": "New gallery", on: { click: newGallery } }, "+"),
    h("span", { class: "gap" }),
    key() && who(),
    themeSwitch(),
    key() && h("button", { class: "plain", on: { click: signOut } }, "Sign out"));
}

function welcome() {
  return h("section", { class: "card" },
    h("h1", {}, "Welcome"),
    h("p", {}, `A gallery is a named set of vehicles or people. There is none yet${access()?.galleries ? " of those that your key is for" : ""}.`),
    may("makeGallery") ? h("button", { class: "primary", on: { click: newGallery } }, "Make a gallery") : lacking({ makeGallery: "make one" }));
}

async function newGallery() {
  const name = h("input", { type: "text", required: true, pattern: "[A-Za-z0-9._\\-]{1,64}", autocomplete: "off" });
  const label = h("input", { type: "text", maxlength: 256, autocomplete: "off" });
  const made = await ask({
    title: "New gallery", verb: "Make it",
    contents: [
      field("Name", name, { hint: "Letters, digits, dots, lines; it stands in addresses." }),
      field("Label (optional)", label),
    ],
    work: () => post("v1/galleries", { name: name.value, label: label.value.trim() || null }),
  });
  if (!made) return;
  galleries = [];
  location.hash = address("query", [], made.name);
  show();
}

const banner = document.getElementById("banner");
server.addEventListener("away", () => {
  banner.hidden = false;
  banner.className = "away";
  put(banner, "The server does not answer. Nothing you typed is lost; trying again …");
});
server.addEventListener("back", () => {
  banner.className = "back";
  put(banner, "The server is back.");
  setTimeout(() => { if (banner.className === "back") banner.hidden = true; }, 4000);
});
session.addEventListener("change", async () => {
  drawBar();
  const before = access();
  // Another key may do other things; the first one is learnt by the view that asked for it.
  if (before && JSON.stringify(before) !== JSON.stringify(await learn().catch(() => before))) show();
});
addEventListener("hashchange", async () => {
  await show();
  main.focus({ preventScroll: true });
  scrollTo(0, 0);
});
addEventListener("unhandledrejection", (event) => {
  if (event.reason?.name !== "AbortError" && "status" in (event.reason ?? {})) put(banner, wrongBox(event.reason)).hidden = false;
});
drawBar();
show();
