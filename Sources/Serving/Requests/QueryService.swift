import Foundation
import Gallery
import Inference

/// Answers queries with the active model.
package struct QueryService: Sendable {
    let models: ModelRegistry
    let gallery: GalleryStore
    let encoding: EncodingService

    /// What is looked for.
    package enum Subject: Sendable {
        /// Files.
        case triple([Modality: Data])
        /// Of the active model and all its modalities, unless it says otherwise.
        case vector([Float], modalities: [String]?, model: String?)
        case text(String)
    }

    /// How it is looked for.
    package struct Options: Sendable {
        package var limit = 10
        /// The least cosine of a match.
        package var threshold: Float?
        package var grouping = Grouping.identity
        package var filter = QueryFilter()

        package init() {}
    }

    /// What was found, and what it took.
    package struct Answer: Sendable {
        package let model: String
        package let modalities: [String]
        package let result: QueryResult
        package let decodeMilliseconds: Double
        package let encodeMilliseconds: Double
        package let search: Duration
    }

    /// Throws `GalleryError`, `ServingError`, `EncoderError` or `CancellationError`.
    package func answer(_ subject: Subject, _ options: Options, in gallery: String) async throws -> Answer {
        try await self.gallery.requireGallery(gallery)  // An unknown gallery costs no encoding.
        let asked = try await asked(subject)
        let start = ContinuousClock.now
        let result = try await self.gallery.query(
            GalleryQuery(
                embedding: asked.embedding, subsets: asked.subsets, limit: options.limit,
                threshold: options.threshold, grouping: options.grouping, filter: options.filter), in: gallery)
        return Answer(
            model: asked.embedding.model, modalities: asked.embedding.modalities, result: result,
            decodeMilliseconds: asked.decodeMilliseconds, encodeMilliseconds: asked.encodeMilliseconds,
            search: start.duration(to: .now))
    }

    private struct Asked {
        let embedding: SightingEmbedding
        var subsets: [SightingEmbedding] = []
        var decodeMilliseconds = 0.0
        var encodeMilliseconds = 0.0
    }

    private func asked(_ subject: Subject) async throws -> Asked {
        let encoder = models.active
        switch subject {
        case .vector(let values, let modalities, let model):
            return Asked(
                embedding: SightingEmbedding(
                    model: model ?? encoder.model, modalities: modalities ?? encoder.modalities.map(\.rawValue),
                    values: values))
        case .text(let text):
            let start = ContinuousClock.now
            let vector = try await encoding.encode(text: text, with: encoder)
            return Asked(
                embedding: SightingEmbedding(model: encoder.model, modalities: ["text"], values: vector),
                encodeMilliseconds: start.duration(to: .now).seconds * 1000)
        case .triple(let images):
            let encoded = try await encoding.encode(images, with: encoder, withSubsets: true)
            return Asked(
                embedding: encoded.embedding.stored(model: encoder.model),
                subsets: encoded.subsets.map { $0.stored(model: encoder.model) },
                decodeMilliseconds: encoded.decodeMilliseconds, encodeMilliseconds: encoded.encodeMilliseconds)
        }
    }
}
