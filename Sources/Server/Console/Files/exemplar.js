// A triple that is asked about: up to one image a modality, dropped, pasted or picked.

import { h, put } from "./dom.js";
import { askBox } from "./boxes.js";
import { toast } from "./notice.js";
import { modalities, modalityNames } from "./format.js";

const hints = { nir: /nir|near|ni\b/i, tir: /tir|therm|lwir/i, rgb: /rgb|vis|colou?r/i };

/** An image of a triple that lies side by side, visible, near infrared, thermal, each 256 × 128 or so: cut into its three. */
async function cut(file) {
  if (!file.type.startsWith("image/")) return null;
  try {
    const image = await createImageBitmap(file);
    const third = image.width / 3;
    if (image.width < 48 || image.width % 3 || image.width !== 6 * image.height) return null;
    return await Promise.all(modalities.map(async (modality, index) => {
      const canvas = new OffscreenCanvas(third, image.height);
      canvas.getContext("2d").drawImage(image, -index * third, 0);
      return [
        modality,
        new File([await canvas.convertToBlob({ type: "image/png" })], `${modality}.png`, { type: "image/png" }),
      ];
    }));
  } catch {
    return null;
  }
}

/** The images of an exemplar and the part of the page that shows them. It outlives its view, so that nothing is lost. */
export class Exemplar {
  constructor(onChange, onRemove) {
    this.images = {};
    this.problems = {};
    this.onChange = onChange;
    this.slots = h("div", { class: "slots" });
    this.element = h("div", {
      class: "exemplar", role: "group", "aria-label": "Images of what is asked about",
      on: {
        dragover: (event) => this.dragOver(event),
        dragleave: () => this.element.classList.remove("dropping"),
        drop: (event) => this.drop(event),
      },
    }, this.slots, onRemove && h("button", { class: "small plain", on: { click: () => onRemove(this) } }, "Remove this exemplar"));
    this.draw();
  }

  get isEmpty() {
    return Object.keys(this.images).length === 0;
  }

  dragOver(event) {
    event.preventDefault();
    this.element.classList.add("dropping");
  }

  drop(event) {
    event.preventDefault();
    this.element.classList.remove("dropping");
    const target = event.target.closest?.("[data-modality]")?.dataset.modality;
    this.take([...event.dataTransfer.files], target);
  }

  /** Puts files where they belong: a strip is cut, others go by their names, else into what is empty. */
  async take(files, wanted) {
    if (files.length === 1) {
      const parts = await cut(files[0]);
      if (parts) {
        for (const [modality, file] of parts) this.set(modality, file);
        toast("The strip was cut into its three images.");
        return;
      }
    }
    for (const file of files.slice(0, 3)) {
      const named = modalities.find((one) => hints[one].test(file.name));
      const empty = modalities.find((one) => !this.images[one]);
      this.set((files.length === 1 && wanted) || named || wanted || empty || "rgb", file);
    }
  }

  set(modality, file) {
    this.unset(modality);
    this.images[modality] = { file, url: URL.createObjectURL(file), box: null };
    this.changed();
  }

  unset(modality) {
    if (this.images[modality]) URL.revokeObjectURL(this.images[modality].url);
    delete this.images[modality];
  }

  clear() {
    for (const modality of modalities) this.unset(modality);
    this.changed();
  }

  changed() {
    this.problems = {};
    this.draw();
    this.onChange();
  }

  /** Says what the server found wrong with an image, beside it. */
  blame(modality, text) {
    this.problems[modality] = text;
    this.draw();
  }

  draw() {
    put(this.slots, modalities.map((modality) => this.slot(modality)));
  }

  slot(modality) {
    const name = modalityNames[modality];
    const held = this.images[modality];
    const input = h(
      "input",
      {
        type: "file",
        accept: "image/jpeg,image/png",
        hidden: true,
        on: { change: () => this.take([...input.files], modality) },
        multiple: true,
      },
    );
    const label = held ? `${name}: ${held.file.name}, replace` : `${name}: pick an image`;
    const on = { click: () => input.click() };
    const target = h("button", { type: "button", class: held ? "target full" : "target", "aria-label": label, on },
      held ? this.preview(held, name) : "Drop, paste or pick");
    return h("div", { class: `slot ${modality}`, "data-modality": modality },
      h("strong", {}, name), target, input,
      held && h("div", { class: "row" },
        h(
          "button",
          { type: "button", class: "small", on: { click: () => this.askForBox(modality) } },
          held.box ? "Box ✓" : "Box",
        ),
        h(
          "button",
          { type: "button", class: "small plain", "aria-label": `Remove ${name}`, on: { click: () => { this.unset(modality); this.changed(); } } },
          "×",
        )),
      this.problems[modality] && h("p", { class: "wrong", role: "alert" }, this.problems[modality]));
  }

  preview(held, name) {
    const image = h("img", { alt: `${name}: ${held.file.name}`, src: held.url });
    image.addEventListener("error", () => image.replaceWith(h("span", {}, "no preview")));
    return image;
  }

  async askForBox(modality) {
    const held = this.images[modality];
    try {
      const box = await askBox(held.url, `Box in ${modalityNames[modality]}`, held.box);
      if (box === undefined) return;
      held.box = box;
      this.changed();
    } catch (error) {
      this.blame(modality, error.message);
    }
  }

  /** As parts of a form: `0.rgb`, or `rgb` without a prefix. Gives the boxes, by part. */
  fill(form, prefix = "") {
    const boxes = {};
    for (const modality of modalities) {
      const held = this.images[modality];
      if (!held) continue;
      form.append(prefix + modality, held.file, held.file.name);
      if (held.box) boxes[prefix + modality] = held.box;
    }
    return boxes;
  }
}
