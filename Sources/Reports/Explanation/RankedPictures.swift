import Charts
import Foundation
import Inference
import Training

/// Sheets of the queries that went best and worst, with what was ranked first.
struct RankedPictures {
    /// Queries of each.
    static let rows = 5

    private let study: RetrievalStudy
    /// Of the sightings.
    let pictures: ReportPictures

    init(_ study: RetrievalStudy, _ modalities: [Modality]) {
        self.study = study
        let first = study.task.queries.first?.files.sorted { $0.key < $1.key }.first?.value
        let size = (try? first?.image())?.size
        pictures = ReportPictures(
            modalities, proportions: size.map { Double($0.width) / Double(max($0.height, 1)) } ?? 1)
    }

    /// A sheet of the best, and one of the worst. Throws `DatasetError` or `ImagingError`.
    func markup() throws -> [Markup] {
        let (best, worst) = study.extremes(Self.rows)
        return try [("Best queries", best), ("Worst queries", worst)].map { title, queries in
            Markup("section", [:], [Markup("h3", text: title)] + (try queries.map(row)))
        }
    }

    private func row(_ query: RetrievalStudy.Query) throws -> Markup {
        let sighting = study.task.queries[query.index]
        let caption = String(
            format: "identity %@, camera %d: average precision %.2f, first right one at rank %d",
            sighting.identity, sighting.camera, query.averagePrecision, query.firstHit)
        let cells =
            try [cell(sighting, kind: "query", mark: "query", told: "Query")]
            + query.matches.enumerated().map { rank, match in
                let found = study.task.galleries[0][match.index]
                let mark = "\(rank + 1) \(match.isHit ? "✓" : "✗") \(String(format: "%.3f", match.distance))"
                let told = "Rank \(rank + 1), \(match.isHit ? "right" : "wrong")"
                return try cell(found, kind: match.isHit ? "hit" : "miss", mark: mark, told: told)
            }
        return Markup(
            "figure", ["class": "ranked"],
            [Markup("figcaption", text: caption), Markup("ol", ["tabindex": "0", "aria-label": caption], cells)])
    }

    private func cell(
        _ sighting: TriplesDataset.Sighting, kind: String, mark: String, told: String
    ) throws -> Markup {
        let who = "identity \(sighting.identity), camera \(sighting.camera)"
        let image = Markup(
            "img",
            [
                "src": try pictures.picture(sighting), "alt": "\(told): \(who)", "title": "\(who) (\(sighting.name))",
                "width": "\(pictures.size.width)", "height": "\(pictures.size.height)",
            ])
        return Markup("li", ["class": kind], [image, Markup("span", text: mark)])
    }
}

/// Sightings beside where the model looks on them.
struct ExplanationPictures {
    private static let sightings = 6

    private let explanations: SightingExplanations?
    private let pictures: ReportPictures

    /// Explains sightings of different identities, spread evenly over those that were ranked. Blocks, and throws as
    /// `SightingExplanations` does.
    ///
    /// - Parameter identities: that were trained.
    init(
        _ checkpoint: Checkpoint, _ study: RetrievalStudy, _ identities: [String], _ pictures: ReportPictures
    ) throws {
        self.pictures = pictures
        let chosen = Self.choose(study.sightings, checkpoint.configuration.modalities)
        explanations = try chosen.isEmpty ? nil : SightingExplanations(chosen, checkpoint, identities: identities)
    }

    private static func choose(
        _ sightings: [TriplesDataset.Sighting], _ modalities: [Modality]
    ) -> [TriplesDataset.Sighting] {
        // A batch has the same modalities throughout: those that most have.
        let groups = Dictionary(grouping: sightings) { sighting in modalities.filter { sighting.files[$0] != nil } }
        let most = groups.filter { !$0.key.isEmpty }.max { first, second in
            first.value.count == second.value.count
                ? second.key.lexicographicallyPrecedes(first.key) : first.value.count < second.value.count
        }?.value
        var seen: Set<String> = []
        let distinct = (most ?? []).filter { seen.insert($0.identity).inserted }
        let count = min(Self.sightings, distinct.count)
        return (0..<count).map { distinct[$0 * distinct.count / count] }
    }

    /// The section; nil where there is nothing to show. Throws `DatasetError` or `ImagingError`.
    func section() throws -> (title: String, content: [Markup])? {
        guard let explanations else { return nil }
        let content = [
            Markup.paragraph(explanations.kind.explanation + " Modalities \(pictures.order)."),
            Markup("div", ["class": "looks"], try explanations.entries.map(figure)),
        ]
        return (explanations.kind.title, content)
    }

    private func figure(_ entry: SightingExplanations.Entry) throws -> Markup {
        let sighting = entry.sighting
        let who = "identity \(sighting.identity), camera \(sighting.camera)"
        let image = { (source: String, alt: String) in
            Markup(
                "img",
                [
                    "src": source, "alt": alt, "width": "\(pictures.size.width)", "height": "\(pictures.size.height)",
                ])
        }
        return Markup(
            "figure", [:],
            [
                image(try pictures.picture(sighting), who),
                image(try pictures.picture(sighting, under: entry.maps), "where the model looks: \(who)"),
                Markup("figcaption", text: who + (entry.takenFor.map { ", taken for \($0)" } ?? "")),
            ])
    }
}
