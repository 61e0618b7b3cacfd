import Gallery
import Inference

/// Answers queries with the active model.
package struct QueryService: Sendable {
    let models: AnsweringModels
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
        /// Several of one object, up to 16.
        case exemplars([Subject])
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
        /// How a sighting's scores with several exemplars make its own.
        package var combination = ExemplarCombination.mean
        /// How those of an identity's sightings make its own.
        package var score = IdentityScore.best
        /// Whether matches tell their scores with each exemplar.
        package var explainsExemplars = false

        package init() {}

        fileprivate func query(_ asked: Asked) -> GalleryQuery {
            var query = GalleryQuery(
                embedding: asked.embeddings[0], limit: limit, threshold: threshold, grouping: grouping, filter: filter)
            query.further = Array(asked.embeddings.dropFirst())
            (query.combination, query.score) = (combination, score)
            (query.rerank, query.explains, query.explainsExemplars) = (rerank, explains, explainsExemplars)
            query.filter.excludeSightings = asked.sightings.isEmpty ? nil : asked.sightings
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
        let asked = try await asked(subjects, models.current(), in: [gallery])
        let start = ContinuousClock.now
        let queries = asked.compactMap { try? $0.get() }.map(options.query)
        var results = try await self.gallery.queries(queries, in: gallery)[...]
        let search = start.duration(to: .now)
        return asked.map { asked in
            asked.flatMap { asked in
                (results.popFirst() ?? .failure(CancellationError())).map { asked.answer($0, search) }
            }
        }
    }

    /// Answers from several galleries: encodes once, searches each, and ranks all matches together. Throws as `answer` does, for
    /// the first gallery that there is not.
    package func answer(_ subject: Subject, _ options: Options, over galleries: [String]) async throws -> Answer {
        for name in galleries { try await gallery.requireGallery(name) }
        let asked = try await asked(subject, models.current(), in: galleries)
        let start = ContinuousClock.now
        let result = try await gallery.query(options.query(asked), over: galleries)
        return asked.answer(result, start.duration(to: .now))
    }
}

/// What a subject has become; of at least one exemplar.
private struct Asked: Sendable {
    var embeddings: [SightingEmbedding]
    /// Those that are enrolled themselves.
    var sightings: [String] = []
    /// Of the one that took longest: they are encoded side by side.
    var decodeMilliseconds = 0.0
    var encodeMilliseconds = 0.0

    init(_ embedding: SightingEmbedding) { embeddings = [embedding] }

    init(_ exemplars: [Asked]) {
        embeddings = exemplars.flatMap(\.embeddings)
        sightings = exemplars.flatMap(\.sightings)
        decodeMilliseconds = exemplars.map(\.decodeMilliseconds).max() ?? 0
        encodeMilliseconds = exemplars.map(\.encodeMilliseconds).max() ?? 0
    }

    func answer(_ result: QueryResult, _ search: Duration) -> QueryService.Answer {
        QueryService.Answer(
            model: embeddings[0].model, modalities: Set(embeddings.flatMap(\.modalities)).sorted(), result: result,
            decodeMilliseconds: decodeMilliseconds, encodeMilliseconds: encodeMilliseconds, search: search)
    }
}

extension QueryService {
    private struct Attempt {
        let place: Int
        let asked: Result<Asked, any Error>
    }

    private func asked(
        _ subjects: [Subject], _ encoder: any TripleEncoder, in galleries: [String]
    ) async throws -> [Result<Asked, any Error>] {
        try await withThrowingTaskGroup(of: Attempt.self) { group in
            for (place, subject) in subjects.enumerated() {
                group.addTask { Attempt(place: place, asked: try await attempt(subject, encoder, in: galleries)) }
            }
            var attempts: [Attempt] = []
            for try await attempt in group { attempts.append(attempt) }
            return attempts.sorted { $0.place < $1.place }.map(\.asked)
        }
    }

    private func attempt(
        _ subject: Subject, _ encoder: any TripleEncoder, in galleries: [String]
    ) async throws -> Result<Asked, any Error> {
        do {
            return .success(try await asked(subject, encoder, in: galleries))
        } catch let error as CancellationError {
            throw error
        } catch {
            return .failure(error)
        }
    }

    private func asked(
        _ subject: Subject, _ encoder: any TripleEncoder, in galleries: [String]
    ) async throws -> Asked {
        switch subject {
        case .exemplars(let subjects):
            let exemplars = try await asked(subjects, encoder, in: galleries).map { try $0.get() }
            guard !exemplars.isEmpty else { throw ServingError.noImage }
            return Asked(exemplars)
        case .vectors(let vectors): return Asked(vectors.embedding(encoder))
        case .sighting(let sighting):
            var asked = Asked(try await embedding(of: sighting, encoder.model, in: galleries))
            asked.sightings = [sighting]
            return asked
        case .text(let text):
            let start = ContinuousClock.now
            let vector = try await encoding.encode(text: text, with: encoder)
            var asked = Asked(
                SightingEmbedding(model: encoder.model, space: encoder.space, vectors: ["text": vector]))
            asked.encodeMilliseconds = start.duration(to: .now).seconds * 1000
            return asked
        case .triple(let images): return try await asked(images, encoder, in: galleries)
        }
    }

    private func asked(
        _ images: [Modality: SentImage], _ encoder: any TripleEncoder, in galleries: [String]
    ) async throws -> Asked {
        var encoder = encoder
        if encoder.interacts {
            let names = images.keys.map(\.rawValue)
            var needsSets = false
            for name in galleries where !needsSets {
                needsSets = try await gallery.sharesSome(of: names, model: encoder.model, in: name)
            }
            if !needsSets { encoder = encoder.wholeOnly }
        }
        let encoded = try await encoding.encode(images, with: encoder)
        var asked = Asked(encoded.embedding.stored(by: encoder))
        (asked.decodeMilliseconds, asked.encodeMilliseconds) = (encoded.decodeMilliseconds, encoded.encodeMilliseconds)
        return asked
    }

    /// Of a sighting of one of the galleries.
    private func embedding(
        of sighting: String, _ model: String, in galleries: [String]
    ) async throws -> SightingEmbedding {
        for name in galleries {
            do {
                if let found = try await gallery.embedding(of: sighting, in: name, model: model) { return found }
                throw GalleryError.modelMismatch(requested: model, available: try await gallery.models().map(\.model))
            } catch GalleryError.notFound(.sighting, _) {
                continue
            }
        }
        throw GalleryError.notFound(.sighting, sighting)
    }
}
