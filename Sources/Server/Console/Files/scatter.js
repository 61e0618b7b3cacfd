// Points on a canvas, to be moved, zoomed and gone through by the keyboard. Positions are from -1 to 1.

import { h } from "./dom.js";

const reach = 14; // Pixels from which a point is pointed at.

export class Scatter {
  constructor(points, { onPoint, onOpen, signal }) {
    Object.assign(this, { points, onPoint, onOpen, colours: [], scale: 1, x: 0, y: 0, current: -1 });
    this.canvas = h(
      "canvas",
      { tabIndex: 0, role: "application", "aria-label": `Map of ${points.length} sightings; arrows go from one to the next` },
    );
    this.pointers = new Map();
    const on = (name, work) => this.canvas.addEventListener(name, work, { passive: false });
    on("pointerdown", (event) => this.press(event));
    on("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) on(name, (event) => this.release(event));
    on("pointerleave", () => this.point(-1));
    on("wheel", (event) => this.wheel(event));
    on("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    addEventListener("themechange", () => this.draw(), { signal });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw(), { signal });
  }

  /** Colours points by a name of each; gives the names with their colours, the most frequent first. */
  colour(nameOf) {
    const names = new Map();
    for (const one of this.points) names.set(nameOf(one), (names.get(nameOf(one)) ?? 0) + 1);
    const groups = [...names].sort((a, b) => b[1] - a[1]).map(
      ([name], index) => [name, `oklch(${index % 2 ? 0.58 : 0.68} 0.17 ${(index * 137.5) % 360})`]
    );
    const known = new Map(groups);
    this.colours = this.points.map((one) => known.get(nameOf(one)));
    this.draw();
    return groups;
  }

  get size() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    return { width, height, unit: 0.46 * Math.min(width, height) * this.scale };
  }

  at(one) {
    const { width, height, unit } = this.size;
    return [width / 2 + (one.x - this.x) * unit, height / 2 - (one.y - this.y) * unit];
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.paint());
  }

  paint() {
    const { width, height } = this.size;
    const density = devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * density)) this.canvas.width = Math.round(width * density);
    if (this.canvas.height !== Math.round(height * density)) this.canvas.height = Math.round(height * density);
    const context = this.canvas.getContext("2d");
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, width, height);
    const radius = Math.min(9, Math.max(2.2, 60 / Math.sqrt(this.points.length)) * Math.sqrt(this.scale));
    this.points.forEach((one, index) => {
      const [x, y] = this.at(one);
      if (x < -9 || y < -9 || x > width + 9 || y > height + 9) return;
      context.fillStyle = this.colours[index];
      context.beginPath();
      context.arc(x, y, radius, 0, 7);
      context.fill();
    });
    if (this.current < 0) return;
    const [x, y] = this.at(this.points[this.current]);
    context.strokeStyle = getComputedStyle(this.canvas).color;
    context.lineWidth = 2.5;
    context.beginPath();
    context.arc(x, y, radius + 3, 0, 7);
    context.stroke();
  }

  point(index) {
    this.current = index;
    if (index < 0) this.onPoint(null);
    else {
      const [x, y] = this.at(this.points[index]);
      const { width, height } = this.size;
      this.onPoint(
        this.points[index],
        Math.max(4, Math.min(x + 14, width - 240)),
        Math.max(4, Math.min(y + 14, height - 130)),
      );
    }
    this.draw();
  }

  nearest(x, y, most = reach) {
    let [best, least] = [-1, most * most];
    this.points.forEach((one, index) => {
      const [px, py] = this.at(one);
      const distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance < least) [best, least] = [index, distance];
    });
    return best;
  }

  zoom(factor, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    const { width, height, unit } = this.size;
    const scale = Math.max(0.5, Math.min(60, this.scale * factor));
    // What is under the pointer stays there.
    const shift = 1 / unit - 1 / ((unit * scale) / this.scale);
    this.x += (x - width / 2) * shift;
    this.y -= (y - height / 2) * shift;
    this.scale = scale;
    this.draw();
  }

  reset() {
    Object.assign(this, { scale: 1, x: 0, y: 0 });
    this.draw();
  }

  press(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
    this.moved = 0;
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    const [x, y] = [event.offsetX, event.offsetY];
    if (!before) return this.point(this.nearest(x, y));
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    const distance = (from) => Math.hypot(from[0] - other[0], from[1] - other[1]);
    this.pointers.set(event.pointerId, [x, y]);
    this.moved += Math.hypot(x - before[0], y - before[1]);
    if (other) return this.zoom(distance([x, y]) / Math.max(distance(before), 1), (x + other[0]) / 2, (y + other[1]) / 2);
    this.x -= (x - before[0]) / this.size.unit;
    this.y += (y - before[1]) / this.size.unit;
    return this.draw();
  }

  release(event) {
    this.pointers.delete(event.pointerId);
    if (this.moved > 5 || event.type === "pointercancel") return;
    const index = this.nearest(event.offsetX, event.offsetY, 22);
    if (index >= 0 && index === this.current) this.onOpen(this.points[index]);
    else this.point(index);
  }

  wheel(event) {
    event.preventDefault();
    this.zoom(1.0015 ** -event.deltaY, event.offsetX, event.offsetY);
  }

  key(event) {
    const steps = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key === "+" || event.key === "=") this.zoom(1.3);
    else if (event.key === "-") this.zoom(1 / 1.3);
    else if (event.key === "Enter" && this.current >= 0) this.onOpen(this.points[this.current]);
    else if (event.key === "Escape") this.point(-1);
    else if (event.key in steps && this.points.length) this.point(this.next(...steps[event.key]));
    else return;
    event.preventDefault();
  }

  /** The nearest point in a direction; the middle one to begin with. */
  next(dx, dy) {
    if (this.current < 0) return this.nearest(this.canvas.clientWidth / 2, this.canvas.clientHeight / 2, Infinity);
    const [x, y] = this.at(this.points[this.current]);
    let [best, least] = [this.current, Infinity];
    this.points.forEach((one, index) => {
      const [px, py] = this.at(one);
      const along = (px - x) * dx + (py - y) * dy;
      const aside = Math.abs((px - x) * dy) + Math.abs((py - y) * dx);
      if (along > 0.5 && along + 2 * aside < least) [best, least] = [index, along + 2 * aside];
    });
    return best;
  }
}
