import Foundation
import Gallery
import Imaging
import Inference
import Threads

/// A passage before a camera of which nobody has said whose it is.
package struct NewPassage: Sendable {
    /// Images or vectors, one a triple; what is said of them beside is `about`.
    package var triples: [(images: [Modality: SentImage], vectors: GivenVectors?)]
    /// Camera, time, metadata and key; images and vectors are not looked at.
    package var about: NewSighting
    package var filter = QueryFilter()
    package var threshold: Float?
    package var margin: Float = 0
    package var limit = 5
    package var isStored = true

    package init(_ triples: [(images: [Modality: SentImage], vectors: GivenVectors?)]) {
        self.triples = triples
        about = NewSighting(identity: "")
    }
}

/// Recognises passages, and makes identities of newcomers.
package struct IdentificationService: Sendable {
    let models: AnsweringModels
    let gallery: GalleryStore
    let encoding: EncodingService
    let keepsImages: Bool
    let memory: MemoryBudget
    let files: WorkerThreads
    let quality: Live<ServingConfiguration.Quality>

    /// What was decided, and what it took.
    package struct Answer: Sendable {
        package let model: String
        package let identification: Identification
        /// By triple, and whether one of them shows enough to make an identity.
        package let quality: [[Modality: ImageQuality]]
        package let isSufficient: Bool
        package let encoding: Duration
        package let search: Duration
    }

    private struct Encoded: Sendable {
        let place: Int
        let enrolment: Enrolment
        let quality: [Modality: ImageQuality]
    }

    /// Throws `GalleryError`, `ServingError`, `EncoderError` or `CancellationError`.
    package func identify(_ passage: NewPassage, in gallery: String) async throws -> Answer {
        try await self.gallery.requireGallery(gallery)  // An unknown gallery costs no encoding.
        if passage.isStored { try memory.requireRoomToEnrol() }
        return try await models.enrolling { encoders in
            let start = ContinuousClock.now
            let encoded = try await self.encoded(passage, passage.isStored ? encoders : [encoders[0]])
            let middle = ContinuousClock.now
            let found = encoded.compactMap(\.enrolment.embeddings.first)
            var asked = Passage(encoded.map(\.enrolment), embedding: try SightingEmbedding(meanOf: found))
            let quality = quality.current
            asked.mayBeNew = encoded.contains { $0.quality.values.allSatisfy(quality.admits) }
            (asked.filter, asked.threshold, asked.margin) = (passage.filter, passage.threshold, passage.margin)
            (asked.limit, asked.isStored) = (passage.limit, passage.isStored)
            let identification = try await self.gallery.identify(asked, in: gallery)
            return Answer(
                model: encoders[0].model, identification: identification, quality: encoded.map(\.quality),
                isSufficient: asked.mayBeNew, encoding: start.duration(to: middle),
                search: middle.duration(to: .now))
        }
    }

    private func encoded(_ passage: NewPassage, _ encoders: [any TripleEncoder]) async throws -> [Encoded] {
        try await withThrowingTaskGroup(of: Encoded.self) { group in
            for place in passage.triples.indices {
                group.addTask { try await self.encoded(passage, place, encoders) }
            }
            var found: [Encoded] = []
            for try await one in group { found.append(one) }
            return found.sorted { $0.place < $1.place }
        }
    }

    private func encoded(
        _ passage: NewPassage, _ place: Int, _ encoders: [any TripleEncoder]
    ) async throws -> Encoded {
        var sighting = passage.about
        (sighting.images, sighting.vectors) = passage.triples[place]
        if place > 0 { sighting.idempotencyKey = sighting.idempotencyKey.map { "\($0) \(place)" } }
        var enrolment = try await sighting.enrolment(files)
        if let vectors = sighting.vectors {
            enrolment.give(vectors, encoders[0])
            return Encoded(place: place, enrolment: enrolment, quality: [:])
        }
        if keepsImages { enrolment.images = sighting.images.kept }
        enrolment.activeModel = encoders[0].model
        let measured = try await encoding.measured(sighting.images, for: encoders)
        enrolment.embeddings = measured.embeddings
        return Encoded(place: place, enrolment: enrolment, quality: measured.quality)
    }
}
