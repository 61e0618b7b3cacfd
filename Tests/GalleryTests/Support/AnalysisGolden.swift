import Foundation
import Gallery
import Testing

/// What `make_analysis.py` made.
struct AnalysisGolden: Decodable {
    let vectors: [[Float]]
    let identity: [Int]
    /// −1 for one that is not known.
    let camera: [Int]
    let all: GalleryEvaluation.Retrieval
    let crossCamera: GalleryEvaluation.Retrieval
    let points: [[Float]]
    let positions: [[Double]]
    let trustworthiness: Double
    let squared: [[Double]]
    let conditional: [[Double]]

    static func load() throws -> AnalysisGolden {
        let url = try #require(
            Bundle.module.url(forResource: "analysis", withExtension: "json", subdirectory: "Fixtures"))
        return try JSONDecoder().decode(AnalysisGolden.self, from: Data(contentsOf: url))
    }
}

extension GalleryStore {
    /// Enrols a sighting by one vector, of `rgb`.
    @discardableResult func add(
        _ identity: String, _ vector: [Float], camera: String? = nil, model: String = "m"
    ) async throws -> String {
        let embedding = SightingEmbedding(model: model, space: nil, vectors: ["rgb": vector])
        return try await enrol(Enrolment(identity: identity, camera: camera, embeddings: [embedding]), in: "g").sighting
            .id
    }
}
