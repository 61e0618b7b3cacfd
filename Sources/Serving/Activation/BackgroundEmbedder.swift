import Foundation
import Gallery
import Inference

/// Embeds what is enrolled, beside the requests, in full batches.
struct BackgroundEmbedder: Sendable {
    /// Sightings that are decoded and encoded side by side and committed together: several full batches of the encoder, so
    /// that it seldom waits for images, and little enough to lose.
    static let atOnce = 64

    let encoder: any TripleEncoder
    let encoding: EncodingService
    let gallery: GalleryStore
    /// The model whose vectors stand in where images were not kept.
    let standIn: String?
    /// Of the time.
    let share: Double

    /// What the model makes of sightings, but of those that were deleted in the meantime. Then leaves the cores to others for
    /// as long as its share demands. Throws `ModelError.imagesMissing` for a sighting that has nothing to be embedded from,
    /// `GalleryError`, `ServingError`, `EncoderError` or `CancellationError`.
    func embed(_ sightings: [PendingSighting]) async throws -> [EmbeddingAddition] {
        try Task.checkCancellation()
        let start = ContinuousClock.now
        let additions = try await withThrowingTaskGroup(of: EmbeddingAddition?.self) { group in
            for sighting in sightings {
                group.addTask { try await addition(sighting) }
            }
            return try await group.reduce(into: []) { additions, addition in addition.map { additions.append($0) } }
        }
        try await Task.sleep(for: start.duration(to: .now) * (1 / share - 1))
        return additions
    }

    private func addition(_ sighting: PendingSighting) async throws -> EmbeddingAddition? {
        if let encoded = try await encoding.encodeInBackground(sighting.images, with: encoder) {
            return EmbeddingAddition(
                encoded.embedding.stored(by: encoder), to: sighting.sighting, in: sighting.gallery)
        }
        guard let standIn else {
            throw ModelError.imagesMissing(
                count: 1,
                reason: "sighting \(sighting.sighting) has no image of \(encoder.modalities.map(\.rawValue))")
        }
        do {
            let found = try await gallery.embedding(of: sighting.sighting, in: sighting.gallery, model: standIn)
            return found.map {
                EmbeddingAddition($0.renamed(encoder.model), to: sighting.sighting, in: sighting.gallery)
            }
        } catch GalleryError.notFound {
            return nil
        }
    }
}

/// Embeds, from kept images, what the active model lacks: it knows it only as vectors that cannot be taken apart, those of a
/// database that an earlier release has written, or not at all, since a repair has taken its vectors away.
struct Reembedding: Sendable {
    let model: String
    let parts: Activation.Parts

    /// How many sightings there are. Throws `GalleryError`.
    static func count(_ encoder: any TripleEncoder, _ gallery: GalleryStore) async throws -> Int {
        try await gallery.fusedCount(model: encoder.model, orParts: encoder.interacts)
            + gallery.missingCount(model: encoder.model)
    }

    /// Throws `ModelError`, `GalleryError`, `ServingError`, or `CancellationError`; what is done by then stays.
    func run(_ job: JobHandle) async throws -> JobRecord {
        let (encoder, gallery) = (parts.models.active, parts.gallery)
        guard encoder.model == model else { return try await job.finished(.object(["embedded": .integer(0)])) }
        let total = try await Self.count(encoder, gallery)
        let size = BackgroundEmbedder.atOnce
        let replaced = try await embed(
            job, 0, of: total,
            { try await gallery.fusedBatch(model: model, orParts: encoder.interacts, limit: size, after: $0) },
            { try await gallery.replaceEmbeddings($0) })
        let added = try await embed(
            job, replaced, of: total, { try await gallery.pendingBatch(model: model, limit: size, after: $0) },
            { try await gallery.addEmbeddings($0) })
        return try await job.finished(.object(["embedded": .integer(replaced + added)]))
    }

    private func embed(
        _ job: JobHandle, _ before: Int, of total: Int, _ batch: (Int64) async throws -> PendingBatch,
        _ store: ([EmbeddingAddition]) async throws -> Int
    ) async throws -> Int {
        let encoder = parts.models.active
        let embedder = BackgroundEmbedder(
            encoder: encoder, encoding: parts.encoding, gallery: parts.gallery, standIn: nil, share: parts.swap.share)
        let modalities = encoder.modalities.map(\.rawValue)
        var (done, next) = (0, 0 as Int64?)
        while let key = next {
            let batch = try await batch(key)
            let known = batch.sightings.filter { $0.images.contains { modalities.contains($0.modality) } }
            done += try await store(embedder.embed(known))
            await job.report(before + done, of: max(total, before + done))
            next = batch.next
        }
        return done
    }
}
