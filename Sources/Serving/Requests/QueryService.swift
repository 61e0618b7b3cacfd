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
        /// Images.
        case triple([Modality: SentImage])
        /// What a model made of a triple.
        case vectors(GivenVectors)
        case text(String)
        /// One that is enrolled in the gallery; it is no answer itself.
        case sighting(String)
    }

    /// How it is looked for.
    package struct Options: Sendable {
        package var limit = 10
        /// The least cosine of a match.
        package var threshold: Float?
        package var grouping = Grouping.identity
        package var filter = QueryFilter()
        /// How many of the nearest are ranked anew.
        package var rerank: Int?
        /// Whether matches tell what each modality alone scores.
        package var explains = false

        package init() {}

        func query(_ embedding: SightingEmbedding) -> GalleryQuery {
            var query = GalleryQuery(
                embedding: embedding, limit: limit, threshold: threshold, grouping: grouping, filter: filter)
            (query.rerank, query.explains) = (rerank, explains)
            return query
        }
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
        try await answers([subject], options, in: gallery)[0].get()
    }

    /// Answers several, encoded side by side and searched together; what is wrong with one is its result. Throws
    /// `GalleryError` for the gallery, or `CancellationError`.
    package func answers(
        _ subjects: [Subject], _ options: Options, in gallery: String
    ) async throws -> [Result<Answer, any Error>] {
        try await self.gallery.requireGallery(gallery)  // An unknown gallery costs no encoding.
        let asked = try await asked(subjects, in: gallery)
        let start = ContinuousClock.now
        let queries = asked.compactMap { try? $0.get() }.map { asked in
            var query = options.query(asked.embedding)
            query.filter.excludeSightings = asked.sighting.map { [$0] }
            return query
        }
        var results = try await self.gallery.queries(queries, in: gallery)[...]
        let search = start.duration(to: .now)
        return asked.map { asked in
            asked.flatMap { asked in
                (results.popFirst() ?? .failure(CancellationError())).map { asked.answer($0, search) }
            }
        }
    }

    private struct Attempt {
        let place: Int
        let asked: Result<Asked, any Error>
    }

    private func asked(_ subjects: [Subject], in name: String) async throws -> [Result<Asked, any Error>] {
        let encoder = models.active
        return try await withThrowingTaskGroup(of: Attempt.self) { group in
            for (place, subject) in subjects.enumerated() {
                group.addTask { Attempt(place: place, asked: try await attempt(subject, encoder, in: name)) }
            }
            var attempts: [Attempt] = []
            for try await attempt in group { attempts.append(attempt) }
            return attempts.sorted { $0.place < $1.place }.map(\.asked)
        }
    }

    private func attempt(
        _ subject: Subject, _ encoder: any TripleEncoder, in name: String
    ) async throws -> Result<Asked, any Error> {
        do {
            return .success(try await asked(subject, encoder, in: name))
        } catch let error as CancellationError {
            throw error
        } catch {
            return .failure(error)
        }
    }

    private struct Asked {
        let embedding: SightingEmbedding
        var sighting: String?
        var decodeMilliseconds = 0.0
        var encodeMilliseconds = 0.0

        func answer(_ result: QueryResult, _ search: Duration) -> Answer {
            Answer(
                model: embedding.model, modalities: embedding.modalities, result: result,
                decodeMilliseconds: decodeMilliseconds, encodeMilliseconds: encodeMilliseconds, search: search)
        }
    }

    private func asked(_ subject: Subject, _ encoder: any TripleEncoder, in name: String) async throws -> Asked {
        switch subject {
        case .vectors(let vectors): return Asked(embedding: vectors.embedding(encoder))
        case .sighting(let sighting):
            guard let embedding = try await gallery.embedding(of: sighting, in: name, model: encoder.model) else {
                let known = try await gallery.models().map(\.model)
                throw GalleryError.modelMismatch(requested: encoder.model, available: known)
            }
            return Asked(embedding: embedding, sighting: sighting)
        case .text(let text):
            let start = ContinuousClock.now
            let vector = try await encoding.encode(text: text, with: encoder)
            return Asked(
                embedding: SightingEmbedding(
                    model: encoder.model, space: encoder.space, vectors: ["text": vector]),
                encodeMilliseconds: start.duration(to: .now).seconds * 1000)
        case .triple(let images):
            var encoder = encoder
            if encoder.interacts {
                let names = images.keys.map(\.rawValue)
                let needsSets = try await gallery.sharesSome(of: names, model: encoder.model, in: name)
                if !needsSets { encoder = encoder.wholeOnly }
            }
            let encoded = try await encoding.encode(images, with: encoder)
            return Asked(
                embedding: encoded.embedding.stored(by: encoder), decodeMilliseconds: encoded.decodeMilliseconds,
                encodeMilliseconds: encoded.encodeMilliseconds)
        }
    }
}
