import Foundation
import Training

extension Output {
    /// Prints a table of sets of modalities, mAP and Rank-1.
    static func modalities(_ table: ModalityTable) {
        let width = table.gallery.count
        let print = { (title: String, value: KeyPath<RetrievalMetrics, Double>) in
            Swift.print("\n\(table.task): \(title), query \\ gallery")
            Output.table(
                [[""] + table.gallery]
                    + table.queries.enumerated().map { row, name in
                        [name]
                            + table.cells[(row * width)..<((row + 1) * width)].map { cell($0.result?.metrics, value) }
                    })
        }
        print("mAP", \.mAP)
        print("Rank-1", \.rank1)
        if table.cells.contains(where: { $0.result == nil }) {
            Swift.print("–: no modality in common, and the model's vectors of different ones cannot be compared")
        }
        let counts = table.queries.indices.map { row in
            table.cells[(row * width)..<((row + 1) * width)].lazy.compactMap(\.result).first.map { result in
                "\(result.metrics.queries) queries, \(result.metrics.skipped) skipped, "
                    + "\(result.ranked?.queriesLeftOut ?? 0) left out without all that is ranked"
            }
        }
        if Set(counts).count == 1 { return Swift.print("each row: \((counts.first ?? nil) ?? "no query")") }
        for (name, count) in zip(table.queries, counts) { Swift.print("\(name): \(count ?? "no query")") }
    }

    /// Prints a table of cameras, mAP, Rank-1 and how many queries count.
    static func cameras(_ table: CameraTable) {
        let width = table.gallery.count
        let print = { (title: String, text: (RetrievalMetrics) -> String) in
            Swift.print("\n\(table.task), \(table.modalities): \(title), query's camera \\ gallery's camera")
            Output.table(
                [[""] + table.gallery.map { "\($0)" }]
                    + table.queries.enumerated().map { row, camera in
                        ["\(camera)"] + table.cells[(row * width)..<((row + 1) * width)].map { text($0.metrics) }
                    })
        }
        print("mAP") { cell($0, \.mAP) }
        print("Rank-1") { cell($0, \.rank1) }
        print("queries that count + skipped") { "\($0.queries)+\($0.skipped)" }
    }

    private static func cell(_ metrics: RetrievalMetrics?, _ value: KeyPath<RetrievalMetrics, Double>) -> String {
        guard let metrics, metrics.queries > 0 else { return "–" }
        return String(format: "%.1f", metrics[keyPath: value] * 100)
    }
}

extension Output {
    /// Prints the errors of open-set identification.
    static func openSet(_ result: OpenSetResult) {
        print("\n\(result.task), \(result.modalities): open-set identification")
        let interval = { (value: Double, range: OpenSetResult.Interval) in
            String(format: "%.1f [%.1f, %.1f]", value * 100, range.low * 100, range.high * 100)
        }
        table(
            [["FPIR held", "FPIR", "threshold", "FNIR", "FNIR at rank 1"]]
                + result.points.map { found in
                    [
                        String(format: "%g", found.rate * 100),
                        String(
                            format: "%.1f (%d of %d)", found.point.falsePositiveRate * 100, found.falsePositives,
                            result.unmated.items),
                        String(
                            format: "%.4f [%.4f, %.4f]", found.point.threshold, found.threshold.low,
                            found.threshold.high),
                        interval(found.point.falseNegativeRate, found.falseNegativeRate),
                        interval(found.point.falseNegativeRateAtRank1, found.falseNegativeRateAtRank1),
                    ]
                })
        print(
            """
            in percent; 95 % intervals by \(result.resamples) resamples of the identities
            \(result.mated.items) searches with a mate, of \(result.mated.identities) identities; \
            \(result.unmated.items) without, of \(result.unmated.identities)
            gallery of \(result.gallery.items) items of \(result.gallery.identities) identities: \
            \(result.removedIdentities) identities were taken out of it (seed \(result.seed))
            """)
        for found in result.points where found.rate > 0 && found.rate * Double(result.unmated.items) < 1 {
            print(
                "a rate of \(String(format: "%g", found.rate * 100)) % is less than one of \(result.unmated.items): "
                    + "the threshold is above all of them")
        }
    }
}
