// Where in an image the object is: drawn with a pointer, or typed. In whole pixels of the upright image at its full size.

import { h, field } from "./dom.js";
import { ask } from "./dialog.js";

/** Gives a box `[x, y, width, height]`, null for the whole image, or undefined if nothing was decided. Throws, in words, for
    what is no image. */
export async function askBox(url, title, known) {
  const image = h("img", { src: url, alt: title, draggable: "false" });
  try {
    await image.decode();
  } catch {
    throw new Error("This browser cannot show the file, so no box can be drawn on it.");
  }
  const [across, down] = [image.naturalWidth, image.naturalHeight];
  const frame = h("span", { class: "frame" });
  const stage = h(
    "div",
    { class: "box-stage", on: { pointerdown: begin, pointermove: move, pointerup: end } },
    image,
    frame,
  );
  const numbers = ["Left", "Top", "Width", "Height"].map((name, index) =>
    h(
      "input",
      {
        type: "number",
        min: index < 2 ? 0 : 1,
        max: index % 2 ? down : across,
        step: 1,
        required: true,
        "aria-label": name,
        on: { input: draw },
      },
    ));
  set(known ?? [0, 0, across, down]);
  let origin = null;

  function set(box) {
    box.forEach((value, index) => { numbers[index].value = value; });
    draw();
  }
  function draw() {
    const [x, y, width, height] = numbers.map((input) => Number(input.value));
    const share = (value, whole) => `${(100 * value) / whole}%`;
    const vars = { x: share(x, across), y: share(y, down), w: share(width, across), h: share(height, down) };
    for (const [name, value] of Object.entries(vars)) frame.style.setProperty(`--${name}`, value);
    numbers[2].setCustomValidity(x + width > across ? `The image is ${across} pixels wide` : "");
    numbers[3].setCustomValidity(y + height > down ? `The image is ${down} pixels high` : "");
  }
  function point(event) {
    const area = image.getBoundingClientRect();
    const within = (value, most) => Math.max(0, Math.min(most, Math.round(value * most)));
    return [
      within((event.clientX - area.left) / area.width, across),
      within((event.clientY - area.top) / area.height, down),
    ];
  }
  function begin(event) {
    origin = point(event);
    stage.setPointerCapture(event.pointerId);
  }
  function move(event) {
    if (!origin) return;
    const there = point(event);
    const low = [0, 1].map((axis) => Math.min(origin[axis], there[axis]));
    set([...low, ...[0, 1].map((axis) => Math.max(1, Math.abs(origin[axis] - there[axis])))]);
  }
  function end() {
    origin = null;
  }

  return ask({
    title, wide: true, verb: "Use this box",
    contents: [
      h(
        "p",
        { class: "hint" },
        `Draw around the object, or type. The image is ${across} × ${down} pixels; all of it means no box.`,
      ),
      stage, h("div", { class: "numbers" }, numbers.map((input) => field(input.getAttribute("aria-label"), input))),
    ],
    work: async () => {
      const box = numbers.map((input) => Number(input.value));
      return { box: box[2] === across && box[3] === down ? null : box };
    },
  }).then((answer) => answer?.box);
}
