import Foundation
import Training

extension Output {
    /// Prints all that was measured.
    static func evaluation(_ evaluation: Evaluation) {
        results(evaluation.results)
        for table in evaluation.modalityTables ?? [] { modalities(table) }
        for table in evaluation.cameraTables ?? [] { cameras(table) }
        for result in evaluation.openSets ?? [] { openSet(result) }
    }
}

extension Output {
    /// Prints results, a row each, and what was ranked in each task.
    static func results(_ results: [RetrievalResult]) {
        var tasks: [String] = []
        for result in results where !tasks.contains(result.task) { tasks.append(result.task) }
        for (index, task) in tasks.enumerated() {
            let own = results.filter { $0.task == task }
            guard let first = own.first else { continue }
            if index > 0 { print() }
            if tasks.count > 1 { print(task) }
            table([["", "mAP", "Rank-1", "Rank-5", "Rank-10", "mINP"]] + own.map(row))
            print(ranked(first))
            for result in own.dropFirst() where differs(result, first) {
                print("\(result.modalities): \(counts(result))")
            }
        }
    }

    private static func row(_ result: RetrievalResult) -> [String] {
        let (mean, deviation) = (result.metrics, result.deviation)
        if mean.queries == 0 { return [result.modalities] + [String](repeating: "–", count: 5) }
        let cell = { (value: Double, spread: Double?) in
            String(format: "%.1f", value * 100) + (spread.map { String(format: " ± %.1f", $0 * 100) } ?? "")
        }
        return [
            result.modalities, cell(mean.mAP, deviation?.mAP), cell(mean.rank1, deviation?.rank1),
            cell(mean.rank5, deviation?.rank5), cell(mean.rank10, deviation?.rank10), cell(mean.mINP, deviation?.mINP),
        ]
    }

    private static func ranked(_ result: RetrievalResult) -> String {
        var lines = [counts(result), "not ranked for a query: \(result.notRanked)"]
        if result.galleries.count > 1 {
            lines.append("means over \(result.galleries.count) trials, ± their standard deviation")
        }
        if result.isDeduplicated {
            lines.append("ranks count identities, each at its best item; mAP and mINP count items")
        }
        return lines.joined(separator: "\n")
    }

    /// How many queries count, and among how many items; what a modality that is not everywhere changes.
    private static func counts(_ result: RetrievalResult) -> String {
        let sizes = Set(result.galleries).sorted()
        let size = sizes.count == 1 ? "\(sizes[0])" : "\(sizes.first ?? 0) to \(sizes.last ?? 0)"
        var line =
            "\(result.metrics.queries) queries, \(result.metrics.skipped) skipped because the gallery holds nothing to find; "
            + "gallery of \(size) items"
        guard let ranked = result.ranked else { return line }
        let sides = [("queries", ranked.queries), ("gallery", ranked.gallery)].filter { $0.1.count > 1 }
        for (side, counts) in sides {
            line += "; \(side): " + counts.map { "\($0.items) of \($0.modalities)" }.joined(separator: ", ")
        }
        if ranked.queriesLeftOut + ranked.galleryLeftOut > 0 {
            line +=
                "; left out, with nothing of what is ranked: \(ranked.queriesLeftOut) queries, "
                + "\(ranked.galleryLeftOut) of the gallery"
        }
        return line
    }

    private static func differs(_ result: RetrievalResult, _ first: RetrievalResult) -> Bool {
        guard let ranked = result.ranked, let other = first.ranked else { return false }
        return result.metrics.queries != first.metrics.queries || result.metrics.skipped != first.metrics.skipped
            || result.galleries != first.galleries
            || (ranked.queriesLeftOut, ranked.galleryLeftOut) != (other.queriesLeftOut, other.galleryLeftOut)
    }
}
