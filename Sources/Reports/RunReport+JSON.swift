import Charts
import Documents
import Foundation
import Inference
import Training

extension RunReport {
    private struct Document: Encodable {
        let run: String
        let status: RunRecord.Status
        let model: String?
        let description: RunDescription?
        let provenance: JSONValue?
        let recipe: JSONValue
        let training: TrainingCurves
        let validations: [Trainer.Validation]
        let control: [Trainer.Validation]?
        let retrieval: Retrieval?
        let map: EmbeddingMap?
    }

    private struct Retrieval: Encodable {
        let split: String
        let notRanked: String
        let gallery: Int
        let metrics: RetrievalMetrics
        let cmc: [Double]
        let distances: PairDistances
        let best: [Query], worst: [Query]

        private enum CodingKeys: String, CodingKey {
            case split, gallery, metrics, cmc, distances, best, worst
            case notRanked = "not_ranked"
        }

        init(_ shown: Shown) {
            let (study, task) = (shown.study, shown.study.task)
            (split, notRanked, gallery) = (shown.split.rawValue, task.rule.notRanked, task.galleries.first?.count ?? 0)
            (metrics, cmc, distances) = (study.metrics, study.matchCharacteristic, study.distances)
            let extremes = study.extremes(RankedPictures.rows)
            (best, worst) = (extremes.best.map { Query($0, task) }, extremes.worst.map { Query($0, task) })
        }
    }

    private struct Query: Encodable {
        let name: String
        let identity: String
        let camera: Int
        let averagePrecision: Double
        let firstHit: Int
        let matches: [Match]

        private enum CodingKeys: String, CodingKey {
            case name, identity, camera, matches
            case averagePrecision = "average_precision"
            case firstHit = "first_hit"
        }

        init(_ query: RetrievalStudy.Query, _ task: RetrievalTask) {
            let sighting = task.queries[query.index]
            (name, identity, camera) = (sighting.name, sighting.identity, sighting.camera)
            (averagePrecision, firstHit) = (query.averagePrecision, query.firstHit)
            matches = query.matches.map { match in
                let found = task.galleries[0][match.index]
                return Match(
                    name: found.name, identity: found.identity, camera: found.camera, distance: match.distance)
            }
        }
    }

    private struct Match: Encodable {
        let name: String
        let identity: String
        let camera: Int
        let distance: Double
    }

    /// All figures of the page.
    func json() throws -> String {
        let document = Document(
            run: run.name, status: run.status, model: digest, description: run.description,
            provenance: run.provenance,
            recipe: run.recipe.values, training: curves, validations: run.validations,
            control: run.control.isEmpty ? nil : run.control,
            retrieval: shown.map(Retrieval.init), map: shown?.map)
        return try JSONEncoder.prettyText(document)
    }
}
