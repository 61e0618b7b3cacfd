import Charts
import Documents
import Foundation
import Inference
import Training

extension RunReport {
    /// The page.
    var html: Markup {
        var page = Page(title: run.name, subtitle: subtitle, figures: figures)
        page.sections.append(("training", "Training", training))
        if let shown {
            page.sections.append(("retrieval", "Retrieval", retrieval(shown)))
            page.sections.append(("ranked", "Ranked lists", rankedLists(shown)))
            if let map = shown.map { page.sections.append(("map", "Map of embeddings", self.map(map))) }
            if let (title, content) = shown.pages.explanation { page.sections.append(("attention", title, content)) }
        } else if let missing {
            page.sections.append(("retrieval", "Retrieval", [.paragraph(missing)]))
        }
        page.sections.append(("provenance", "Where it comes from", provenance))
        page.sections.append(("recipe", "Recipe", [Markup("pre", ["tabindex": "0"], [Markup(run.recipe.yaml)])]))
        return page.document
    }

    private var subtitle: String {
        let system = run.model?.system.name.rawValue ?? run.recipe.values["model"]?["system"]?.string
        let total = run.description.map { " of \($0.steps)" } ?? ""
        return [system, "\(curves.steps)\(total) steps", run.status.rawValue].compactMap { $0 }.joined(separator: " · ")
    }

    private var figures: [(name: String, value: String)] {
        let percent = { (value: Double) in String(format: "%.1f %%", value * 100) }
        var figures: [(name: String, value: String)] = []
        if let metrics = shown?.study.metrics ?? run.best?.metrics {
            figures = [
                ("mAP", percent(metrics.mAP)), ("Rank-1", percent(metrics.rank1)), ("mINP", percent(metrics.mINP)),
            ]
        }
        if let best = run.best { figures.append(("best at step", "\(best.step)")) }
        if let description = run.description {
            figures.append(("parameters", Self.short(description.parameters)))
            figures.append(("seed", "\(description.seed)"))
        }
        return figures
    }

    private static func short(_ count: Int) -> String {
        switch count {
        case ..<10_000: "\(count)"
        case ..<1_000_000: String(format: "%.0f k", Double(count) / 1e3)
        default: String(format: "%.2f M", Double(count) / 1e6)
        }
    }

    private var training: [Markup] {
        // Terms of other sizes would lie on the axis. A triplet loss gets to be next to nothing: less than a millionth is drawn as that.
        let values = curves.losses.flatMap { $0.points.map(\.y) }
        let isWide = (values.min() ?? 0) > 0 && (values.max() ?? 0) > 50 * (values.min() ?? 1)
        let losses = curves.losses.map { series in
            LineChart.Series(series.name, series.points.map { .init($0.x, isWide ? max($0.y, 1e-6) : $0.y) })
        }
        let loss = LineChart(
            losses, titles: ("step", "loss"), label: "Loss and its terms over the steps",
            scale: isWide ? .logarithmic : .linear)
        let rate = LineChart([curves.rate], titles: ("step", "learning rate"), label: "Learning rate over the steps")
        var charts = [
            Markup.figure("Loss and its terms", loss.markup, legend: loss.legend),
            Markup.figure("Learning rate", rate.markup),
        ]
        if !run.validations.isEmpty { charts.append(validation) }
        let stages = curves.stages.map { "\($0.name) from step \($0.start)" }
        let note =
            "Terms before their weights. " + (stages.count > 1 ? "Stages: \(stages.joined(separator: ", ")). " : "")
        return [.grid(charts), Markup("p", ["class": "quiet"], [Markup(note + held)])]
    }

    private var validation: Markup {
        let series = { (name: String, of: [Trainer.Validation], value: KeyPath<RetrievalMetrics, Double>) in
            LineChart.Series(name, of.map { .init(Double($0.step), 100 * $0.metrics[keyPath: value]) })
        }
        var all = [
            series("mAP", run.validations, \.mAP), series("Rank-1", run.validations, \.rank1),
            series("mINP", run.validations, \.mINP),
        ]
        if !run.control.isEmpty { all.append(series("mAP without pruning", run.control, \.mAP)) }
        let chart = LineChart(
            all, titles: ("step", "percent"), label: "mAP, Rank-1 and mINP on held-out identities over the steps",
            y: Axis(ticks: [0, 20, 40, 60, 80, 100]), hasMarks: true)
        return .figure("Validation on held-out identities", chart.markup, legend: chart.legend)
    }

    /// Held-out figures are of few identities: that has to be said beside them.
    private var held: String {
        guard let description = run.description, description.heldOutSightings > 0 else { return "" }
        return
            "Validation ranks \(description.heldOutSightings) sightings of \(description.heldOutIdentities) identities; "
            + "among more, figures are lower."
    }

    private func retrieval(_ shown: Shown) -> [Markup] {
        let (study, metrics) = (shown.study, shown.study.metrics)
        let percent = { (value: Double) in String(format: "%.1f", value * 100) }
        let table = Markup.table(
            ["", "mAP", "Rank-1", "Rank-5", "Rank-10", "mINP", "queries", "skipped"],
            [
                [study.task.name]
                    + [metrics.mAP, metrics.rank1, metrics.rank5, metrics.rank10, metrics.mINP].map(percent)
                    + ["\(metrics.queries)", "\(metrics.skipped)"]
            ], caption: "Retrieval in percent")
        let match = LineChart(
            [.init("CMC", study.matchCharacteristic.enumerated().map { .init(Double($0 + 1), 100 * $1) })],
            titles: ("rank", "percent of the queries"), label: "Share of queries with a right match up to a rank",
            y: Axis(ticks: [0, 20, 40, 60, 80, 100]), hasMarks: true)
        let distances = study.distances.shown
        let histogram = HistogramChart(
            [.init("same identity", distances.same), .init("different identities", distances.different)],
            over: distances.range, titles: ("1 - cosine", "percent of the pairs"),
            label: "Distances of pairs of the same and of different identities")
        let gallery = study.task.galleries.first ?? []
        return [
            table,
            Markup(
                "p", ["class": "quiet"],
                [
                    Markup(
                        "Percent. A gallery of \(gallery.count) sightings of \(Set(gallery.map(\.identity)).count) "
                            + "identities; not ranked for a query: \(study.task.rule.notRanked).")
                ]),
            .grid([
                .figure("Right match up to a rank (CMC)", match.markup),
                .figure("Distances", histogram.markup, legend: histogram.legend),
            ]),
        ]
    }

    private func rankedLists(_ shown: Shown) -> [Markup] {
        let text =
            "Each row a query and what is ranked first for it, with the distance; ✓ shows the query's identity, ✗ another. "
            + "Modalities \(shown.pages.order)."
        return [.paragraph(text)] + shown.pages.ranked
    }

    private func map(_ map: EmbeddingMap) -> [Markup] {
        let names = Array(Set(map.points.map(\.identity))).sorted()
        let groups = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        let text =
            "t-SNE of the cosines between \(map.points.count) of \(map.ofSightings) sightings, of \(names.count) of "
            + "\(map.ofIdentities) identities: each identity has a colour and a form. Those that the model finds alike lie "
            + "together; distances between groups mean little."
        let points = map.points.map { point in
            ScatterChart.Point(
                Double(point.x), Double(point.y), group: groups[point.identity] ?? 0,
                title: "identity \(point.identity), camera \(point.camera) (\(point.name))")
        }
        let plane = ScatterChart(plane: points, label: "Map of \(points.count) sightings by their embeddings")
        return [.paragraph(text), Markup("figure", ["class": "plot big"], [plane.markup])]
    }

    private var provenance: [Markup] {
        var facts: [(name: String, value: String)] = []
        if let digest { facts.append(("model", digest)) }
        if let description = run.description {
            facts += [
                ("program", "triptych \(description.version)"), ("seed", "\(description.seed)"),
                (
                    "data",
                    "\(description.data) (\(description.layout)\(description.trial.map { ", trial \($0)" } ?? ""))"
                ),
                ("data fingerprint", description.dataFingerprint),
                ("learnt from", "\(description.sightings) sightings of \(description.identities) identities"),
                (
                    "held out",
                    "\(description.heldOutSightings) sightings of \(description.heldOutIdentities) identities"
                ),
                ("began with", description.initializedFrom ?? "random weights"),
            ]
        }
        let known: Set = [
            "recipe", "self_test", "seed", "version", "initialized_from", "data", "validation", "training_identities",
            "training_sightings", "held_out_sightings",
        ]
        let recorded = run.provenance?.object ?? [:]
        for (key, value) in recorded.sorted(by: { $0.key < $1.key }) where !known.contains(key) {
            facts.append((key.replacing("_", with: " "), value.string ?? value.summary))
        }
        return [.list(facts)]
    }
}
