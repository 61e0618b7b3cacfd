import Foundation
import Gallery
import Inference

/// What a model made of a triple, as a client has it.
package struct GivenVectors: Sendable {
    /// The vectors.
    package enum Values: Sendable {
        /// A vector a modality, as the encoder gave them.
        case parts([String: [Float]])
        /// One of a set of modalities; of all that the model has, unless it says.
        case whole([Float], modalities: [String]?)
    }

    package let values: Values
    /// The active one, unless it says.
    package let model: String?

    package init(_ values: Values, model: String?) { (self.values, self.model) = (values, model) }

    func embedding(_ active: any TripleEncoder) -> SightingEmbedding {
        let model = model ?? active.model
        let space = model == active.model ? active.space : nil
        switch values {
        case .parts(let vectors): return SightingEmbedding(model: model, space: space, vectors: vectors)
        case .whole(let vector, let modalities):
            return SightingEmbedding(
                model: model, space: space, modalities: modalities ?? active.modalities.map(\.rawValue), values: vector)
        }
    }

    /// Equal for equal vectors alone.
    var canonical: String {
        let text = { (values: [Float]) in values.map { String($0.bitPattern, radix: 16) }.joined(separator: ",") }
        switch values {
        case .parts(let vectors):
            return vectors.sorted { $0.key < $1.key }.map { "\($0.key):\(text($0.value))" }.joined(separator: ";")
                + "@\(model ?? "")"
        case .whole(let vector, let modalities):
            return "\(modalities?.joined(separator: "+") ?? "*"):\(text(vector))@\(model ?? "")"
        }
    }
}

/// Answers queries with the active model.
package struct QueryService: Sendable {
    let models: ModelRegistry
    let gallery: GalleryStore
    let encoding: EncodingService

    /// What is looked for.
    package enum Subject: Sendable {
        /// Files.
        case triple([Modality: Data])
        /// What a model made of a triple.
        case vectors(GivenVectors)
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
                embedding: asked.embedding, limit: options.limit, threshold: options.threshold,
                grouping: options.grouping, filter: options.filter), in: gallery)
        return Answer(
            model: asked.embedding.model, modalities: asked.embedding.modalities, result: result,
            decodeMilliseconds: asked.decodeMilliseconds, encodeMilliseconds: asked.encodeMilliseconds,
            search: start.duration(to: .now))
    }

    private struct Asked {
        let embedding: SightingEmbedding
        var decodeMilliseconds = 0.0
        var encodeMilliseconds = 0.0
    }

    private func asked(_ subject: Subject) async throws -> Asked {
        let encoder = models.active
        switch subject {
        case .vectors(let vectors): return Asked(embedding: vectors.embedding(encoder))
        case .text(let text):
            let start = ContinuousClock.now
            let vector = try await encoding.encode(text: text, with: encoder)
            return Asked(
                embedding: SightingEmbedding(
                    model: encoder.model, space: encoder.space, vectors: ["text": vector]),
                encodeMilliseconds: start.duration(to: .now).seconds * 1000)
        case .triple(let images):
            let encoded = try await encoding.encode(images, with: encoder)
            return Asked(
                embedding: encoded.embedding.stored(by: encoder), decodeMilliseconds: encoded.decodeMilliseconds,
                encodeMilliseconds: encoded.encodeMilliseconds)
        }
    }
}
