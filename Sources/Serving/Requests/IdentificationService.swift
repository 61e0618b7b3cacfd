import Foundation
import Gallery
import Inference
import Threads

/// A passage before a camera of which nobody has said whose it is.
package struct NewPassage: Sendable {
    /// Images or vectors, one a triple; what is said of them beside is `about`.
    package var triples: [(images: [Modality: Data], vectors: GivenVectors?)]
    /// Camera, time, metadata and key; images and vectors are not looked at.
    package var about: NewSighting
    package var filter = QueryFilter()
    package var threshold: Float?
    package var margin: Float = 0
    package var limit = 5
    package var isStored = true

    package init(_ triples: [(images: [Modality: Data], vectors: GivenVectors?)]) {
        self.triples = triples
        about = NewSighting(identity: "")
    }
}

/// Recognises passages, and makes identities of newcomers.
package struct IdentificationService: Sendable {
    let models: ModelRegistry
    let gallery: GalleryStore
    let encoding: EncodingService
    let keepsImages: Bool
    let memory: MemoryBudget
    let files: WorkerThreads

    /// What was decided, and what it took.
    package struct Answer: Sendable {
        package let model: String
        package let identification: Identification
        package let encoding: Duration
        package let search: Duration
    }

    private struct Encoded: Sendable {
        let place: Int
        let enrolment: Enrolment
    }

    /// Throws `GalleryError`, `ServingError`, `EncoderError` or `CancellationError`.
    package func identify(_ passage: NewPassage, in gallery: String) async throws -> Answer {
        try await self.gallery.requireGallery(gallery)  // An unknown gallery costs no encoding.
        if passage.isStored { try memory.requireRoomToEnrol() }
        return try await models.enrolling { encoders in
            let start = ContinuousClock.now
            let enrolments = try await enrolments(passage, passage.isStored ? encoders : [encoders[0]])
            let middle = ContinuousClock.now
            let found = enrolments.compactMap(\.embeddings.first)
            var asked = Passage(enrolments, embedding: try SightingEmbedding(meanOf: found))
            (asked.filter, asked.threshold, asked.margin) = (passage.filter, passage.threshold, passage.margin)
            (asked.limit, asked.isStored) = (passage.limit, passage.isStored)
            let identification = try await self.gallery.identify(asked, in: gallery)
            return Answer(
                model: encoders[0].model, identification: identification, encoding: start.duration(to: middle),
                search: middle.duration(to: .now))
        }
    }

    private func enrolments(_ passage: NewPassage, _ encoders: [any TripleEncoder]) async throws -> [Enrolment] {
        try await withThrowingTaskGroup(of: Encoded.self) { group in
            for place in passage.triples.indices {
                group.addTask { Encoded(place: place, enrolment: try await enrolment(passage, place, encoders)) }
            }
            var encoded: [Encoded] = []
            for try await one in group { encoded.append(one) }
            return encoded.sorted { $0.place < $1.place }.map(\.enrolment)
        }
    }

    private func enrolment(
        _ passage: NewPassage, _ place: Int, _ encoders: [any TripleEncoder]
    ) async throws -> Enrolment {
        var sighting = passage.about
        (sighting.images, sighting.vectors) = passage.triples[place]
        if place > 0 { sighting.idempotencyKey = sighting.idempotencyKey.map { "\($0) \(place)" } }
        var enrolment = try await sighting.enrolment(files)
        if let vectors = sighting.vectors {
            enrolment.embeddings = [vectors.embedding(encoders[0])]
            return enrolment
        }
        if keepsImages { enrolment.images = sighting.images.sorted { $0.key < $1.key }.map(EnrolmentService.kept) }
        enrolment.embeddings = try await encoding.encode(sighting.images, for: encoders)
        return enrolment
    }
}
