import Charts

/// One page of HTML that asks nothing of the network: its style is within it, and there is no script.
struct Page {
    /// Of the window, and the heading.
    let title: String
    /// Below the heading.
    let subtitle: String
    /// Names beside what is to be seen first.
    var figures: [(name: String, value: String)] = []
    /// Sections, each with its `id` and name for the contents.
    var sections: [(id: String, name: String, content: [Markup])] = []

    /// The document.
    var document: Markup {
        let head = Markup(
            "head", [:],
            [
                Markup("meta", ["charset": "utf-8"]),
                Markup("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
                Markup("meta", ["name": "color-scheme", "content": "light dark"]),
                Markup("title", text: title), Markup("style", [:], [Markup(verbatim: PageStyle.sheet)]),
            ])
        let body = Markup("body", [:], [header, Markup("main", [:], sections.map(section)), Self.footer])
        return Markup(
            verbatim: "<!DOCTYPE html>\n" + Markup("html", ["lang": "en"], [head, body]).description + "\n")
    }

    private var header: Markup {
        let contents = sections.map { section in
            Markup("li", [:], [Markup("a", ["href": "#\(section.id)"], [Markup(section.name)])])
        }
        let tiles = figures.map { name, value in
            Markup("div", [:], [Markup("dt", text: name), Markup("dd", text: value)])
        }
        return Markup(
            "header", [:],
            [
                Markup("h1", text: title), Markup("p", ["class": "quiet"], [Markup(subtitle)]),
                tiles.isEmpty ? Markup("") : Markup("dl", ["class": "tiles"], tiles),
                Markup("nav", ["aria-label": "Contents"], [Markup("ul", [:], contents)]),
            ])
    }

    private func section(_ section: (id: String, name: String, content: [Markup])) -> Markup {
        Markup("section", ["id": section.id], [Markup("h2", text: section.name)] + section.content)
    }

    private static let footer = Markup("footer", ["class": "quiet"], [Markup("Written by triptych.")])
}

extension Markup {
    /// A chart with what it shows above it and its legend below.
    static func figure(_ title: String, _ chart: Markup, legend: Markup = Markup("")) -> Markup {
        Markup("figure", ["class": "plot"], [Markup("figcaption", text: title), chart, legend])
    }

    /// Charts side by side, as many as there is room for.
    static func grid(_ figures: [Markup]) -> Markup { Markup("div", ["class": "plots"], figures) }

    /// Rows of cells under a heading; the first column names the row. It scrolls by itself where it is too wide.
    static func table(_ heading: [String], _ rows: [[String]], caption: String) -> Markup {
        let head = Markup("tr", [:], heading.map { Markup("th", ["scope": "col"], [Markup($0)]) })
        let body = rows.map { row in
            Markup(
                "tr", [:],
                row.enumerated().map { column, cell in
                    column == 0 ? Markup("th", ["scope": "row"], [Markup(cell)]) : Markup("td", text: cell)
                })
        }
        let table = Markup("table", [:], [Markup("thead", [:], [head]), Markup("tbody", [:], body)])
        return Markup("div", ["class": "wide", "tabindex": "0", "role": "region", "aria-label": caption], [table])
    }

    /// Names and what they stand for.
    static func list(_ entries: [(name: String, value: String)]) -> Markup {
        Markup(
            "dl", ["class": "facts"],
            entries.flatMap { [Markup("dt", text: $0.name), Markup("dd", text: $0.value)] })
    }

    /// A paragraph.
    static func paragraph(_ text: String) -> Markup { Markup("p", text: text) }
}
