"""Horizontal bars as SVG, written by hand: no library, and the same file for the same numbers."""
from html import escape

COLOURS = ["#3b6fb6", "#e08a2e", "#4c9f70", "#c8504b", "#8a6bb1", "#7f6a55", "#d48fb8", "#5fb5c4", "#b5b5b5"]
LEFT, WIDTH, BAR, GAP, FONT = 190, 560, 16, 14, "font-family='sans-serif' font-size='12'"


def legend(names, y):
    parts, x = [], LEFT
    for i, name in enumerate(names):
        parts.append(f"<rect x='{x}' y='{y}' width='11' height='11' fill='{COLOURS[i]}'/>"
                     f"<text x='{x + 15}' y='{y + 10}'>{escape(name)}</text>")
        x += 30 + 7 * len(name)
        if x > LEFT + WIDTH - 60 and i + 1 < len(names):
            x, y = LEFT, y + 18
    return parts, y + 26


def document(title, parts, height):
    width = LEFT + WIDTH + 110
    return (f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' "
            f"viewBox='0 0 {width} {height}' {FONT}>\n<rect width='100%' height='100%' fill='white'/>\n"
            f"<text x='12' y='22' font-size='15' font-weight='bold'>{escape(title)}</text>\n"
            + "\n".join(parts) + "\n</svg>\n")


def grouped(title, names, groups, unit="ms"):
    """`groups`: [(label, {name: value})]. Each group has its own scale, as models differ by a factor of ten."""
    parts, y = legend(names, 36)
    for label, values in groups:
        longest, shown = max(values.values()), [n for n in names if n in values]
        parts.append(f"<text x='12' y='{y + BAR * len(shown) / 2 + 4}'>{escape(label)}</text>")
        for name in shown:
            length = WIDTH * values[name] / longest
            parts.append(f"<rect x='{LEFT}' y='{y}' width='{length:.1f}' height='{BAR - 2}' "
                         f"fill='{COLOURS[names.index(name)]}'/>"
                         f"<text x='{LEFT + length + 5:.1f}' y='{y + 11}'>{values[name]:.1f} {unit}</text>")
            y += BAR
        y += GAP
    return document(title, parts, y)


def stacked(title, names, rows, unit="ms"):
    """`rows`: [(label, {name: value})], each as shares of its whole."""
    parts, y = legend(names, 36)
    for label, values in rows:
        whole, x = sum(values.values()), LEFT
        parts.append(f"<text x='12' y='{y + 15}'>{escape(label)}</text>")
        for i, name in enumerate(names):
            share = max(values.get(name, 0), 0) / whole
            length = WIDTH * share
            parts.append(f"<rect x='{x:.1f}' y='{y}' width='{length:.1f}' height='22' fill='{COLOURS[i]}'/>")
            if share > 0.04:
                parts.append(f"<text x='{x + length / 2:.1f}' y='{y + 15}' fill='white' text-anchor='middle'>"
                             f"{share:.0%}</text>")
            x += length
        parts.append(f"<text x='{LEFT + WIDTH + 5}' y='{y + 15}'>{whole:.1f} {unit}</text>")
        y += 22 + 8
    return document(title, parts, y)
