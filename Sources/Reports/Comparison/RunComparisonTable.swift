import Charts
import Foundation

/// A comparison as rows of text and as a page.
public struct RunComparisonTable: Sendable {
    /// Settings that have a column each; more of them are listed apart.
    private static let columns = 6

    private let comparison: RunComparison

    /// Of a comparison.
    public init(_ comparison: RunComparison) { self.comparison = comparison }

    private var hasColumns: Bool { comparison.differing.count <= Self.columns }

    /// A heading, and a row a group.
    public var rows: [[String]] {
        let keys = hasColumns ? RecipeSettings.shortened(comparison.differing) : []
        let isAlone = comparison.groups.count < 2
        let heading = [""] + keys + ["seeds", "mAP", "Rank-1", "mINP"] + (isAlone ? [] : ["mAP beside A"])
        return [heading]
            + comparison.groups.map { group in
                [group.name] + (hasColumns ? group.settings : [])
                    + [group.members.map { $0.seed.map(String.init) ?? "?" }.joined(separator: " ")]
                    + [group.mAP, group.rank1, group.mINP].map(Self.text)
                    + (isAlone ? [] : [Self.text(group.difference)])
            }
    }

    /// What differs between the groups, a row a setting, where there are too many for columns; otherwise nothing.
    public var settings: [[String]] {
        if hasColumns { return [] }
        return [[""] + comparison.groups.map(\.name)]
            + comparison.differing.enumerated().map { index, path in
                [path] + comparison.groups.map { $0.settings[index] }
            }
    }

    /// What the figures are, and what a reader has to know.
    public var notes: [String] { ["In percent, of \(comparison.measured)."] + comparison.notes }

    private static func text(_ spread: Spread?) -> String {
        guard let spread else { return "–" }
        return String(format: "%.1f", spread.mean * 100)
            + (spread.deviation.map { String(format: " ± %.1f", $0 * 100) } ?? "")
    }

    private static func text(_ difference: Difference?) -> String {
        guard let difference else { return "" }
        let value = String(format: "%+.1f", difference.value * 100)
        guard let low = difference.low, let high = difference.high else {
            return "\(value): \(difference.verdict.rawValue)"
        }
        return value + String(format: " (%+.1f to %+.1f): ", low * 100, high * 100) + difference.verdict.rawValue
    }
}

extension RunComparisonTable {
    /// The figures as JSON.
    public func json() throws -> String {
        try JSONEncoder.prettyText(comparison)
    }

    /// A page of its own, with the runs' validation curves, and what failed with its reason. Throws `ReportError.unwritable`.
    public func write(
        _ runs: [RunRecord], title: String, failed: [(name: String, reason: String)] = [], to file: URL
    ) throws {
        var page = Page(title: title, subtitle: "\(runs.count) runs in \(comparison.groups.count) groups")
        page.sections = [("table", "Side by side", side), ("plots", "Plots", plots(runs))]
        if !failed.isEmpty {
            let rows = failed.map { [$0.name, $0.reason] }
            page.sections.append(("failed", "What failed", [.table(["", "reason"], rows, caption: "What failed")]))
        }
        try RunReport.write(page.document.description, to: file)
    }

    private var side: [Markup] {
        let table = Markup.table(rows[0], Array(rows.dropFirst()), caption: "Groups of runs side by side")
        let differing =
            settings.isEmpty
            ? []
            : [
                Markup("h3", text: "What differs"),
                Markup.table(settings[0], Array(settings.dropFirst()), caption: "Settings that differ"),
            ]
        return [table, Markup("p", ["class": "quiet"], [Markup(notes.joined(separator: " "))])] + differing
    }

    private func plots(_ runs: [RunRecord]) -> [Markup] {
        [.grid([groupPlot, curvePlot(runs)] + comparison.differing.indices.prefix(Self.columns).map(settingPlot))]
    }

    /// A point a run, a column a group.
    private var groupPlot: Markup {
        let points = comparison.groups.enumerated().flatMap { index, group in
            group.members.compactMap { member in
                member.metrics.map { metrics in
                    ScatterChart.Point(
                        Double(index), 100 * metrics.mAP, group: index % 8,
                        title: String(format: "%@: %.1f", member.run, 100 * metrics.mAP))
                }
            }
        }
        let chart = ScatterChart(
            points, x: Axis(names: comparison.groups.map(\.name)), y: percent(points),
            titles: ("group", "mAP, percent"),
            label: "mAP of each run by group")
        return .figure("mAP, a point a run", chart.markup)
    }

    private func percent(_ points: [ScatterChart.Point]) -> Axis { Axis(points.map(\.y), isFromZero: false) }

    /// Each run's validation in its group's colour.
    private func curvePlot(_ runs: [RunRecord]) -> Markup {
        let series = comparison.groups.flatMap { group in
            group.members.compactMap { member in
                runs.first { $0.folder == member.folder }.map { run in
                    LineChart.Series(
                        "\(group.name): \(member.run)",
                        run.validations.map { .init(Double($0.step), 100 * $0.metrics.mAP) })
                }
            }
        }
        let colours = comparison.groups.enumerated().flatMap { index, group in group.members.map { _ in index } }
        let chart = LineChart(
            series, titles: ("step", "mAP, percent"), label: "Validation of each run over the steps", colours: colours)
        return .figure(
            "Validation on held-out identities", chart.markup,
            legend: ChartLegend(comparison.groups.prefix(8).map(\.name)).markup)
    }

    /// A point a run, by one of the settings.
    private func settingPlot(_ index: Int) -> Markup {
        let name = comparison.differing[index]
        let values = comparison.groups.map { $0.settings[index] }
        let numbers = values.compactMap(Double.init)
        let names = Array(Set(values)).sorted()
        let isNumeric = numbers.count == values.count
        let points = comparison.groups.flatMap { group -> [ScatterChart.Point] in
            let value = group.settings[index]
            let x = isNumeric ? Double(value) ?? 0 : Double(names.firstIndex(of: value) ?? 0)
            return group.members.compactMap { member in
                member.metrics.map {
                    .init(x, 100 * $0.mAP, title: String(format: "%@: %.1f at %@", member.run, 100 * $0.mAP, value))
                }
            }
        }
        let isWide = (numbers.min() ?? 0) > 0 && (numbers.max() ?? 0) >= 30 * (numbers.min() ?? 1)
        let x =
            isNumeric
            ? Axis(numbers, isFromZero: false, scale: isWide ? .logarithmic : .linear) : Axis(names: names)
        let chart = ScatterChart(
            points, x: x, y: percent(points), titles: (name, "mAP, percent"), label: "mAP of each run by \(name)")
        return .figure("mAP by \(name)", chart.markup)
    }
}
