import Foundation
import Gallery
import Inference
import Tensor

/// Makes another model the active one without a gap: loads and warms it beside the active one, embeds with it what is
/// enrolled, and switches at one instant.
///
/// Until then the active model answers everything, and a crash leaves it active. The embeddings of the model that was
/// active stay, so that activating it again is as quick as loading it.
struct Activation: Sendable {
    static let kind = "activation"

    let model: String
    let service: Service

    /// Throws `ModelError.imagesMissing` if there are sightings that this model cannot get into its embedding space, and
    /// `.insufficientMemory` if model and vectors would take too much.
    func check() async throws {
        let standIn = try await standIn()
        let lacking = try await service.gallery.lacking(model: model, standIn: standIn)
        let hopeless = standIn == nil ? lacking.withoutImages : lacking.withoutVectors
        guard hopeless == 0 else { throw ModelError.imagesMissing(count: hopeless, reason: try reason()) }
        let bytes = service.vectorBytes(of: try service.catalog.summary(model))
        try service.catalog.requireMemory(for: model, vectors: lacking.sightings * bytes)
    }

    /// The active model, if the candidate's embeddings are so close to its that they may be compared.
    private func standIn() async throws -> String? {
        guard let space = try space(), space.parent == service.models.active.model,
            space.meanCosine >= service.swap.compatibleCosine
        else { return nil }
        return space.parent
    }

    private func space() throws -> EmbeddingSpace? {
        let summary = try service.catalog.summary(model)
        return EmbeddingSpace(pruning: summary.pruning)
    }

    private func reason() throws -> String {
        guard let space = try space() else {
            return "it does not say that its embeddings can be compared with those of the active model"
        }
        return
            "its embeddings have a mean cosine of \(space.meanCosine) with those of model \(space.parent); expected at "
            + "least \(service.swap.compatibleCosine) with those of the active model"
    }

    /// Throws `ModelError`, `GalleryError`, `Service.UndecodableImage`, or `CancellationError`; then the active model is
    /// what it was.
    func run(_ job: JobHandle) async throws -> JobRecord {
        let standIn = try await standIn()
        let encoder = try await service.catalog.encoder(model)
        do {
            // What is enrolled with images meanwhile can be embedded later: enrolments need not wait for two models yet.
            var count = 0
            if service.keepsImages {
                let backlog = try await service.gallery.lacking(model: model, standIn: standIn).sightings
                count = try await embedLacking(encoder, standIn, job, atMost: backlog)
            }
            service.models.prepare(encoder)
            // From here on everything new is embedded by both; what began before must be on the disk to be found.
            while service.models.hasEarlierEnrolments { try await Task.sleep(for: .milliseconds(5)) }
            count += try await embedLacking(encoder, standIn, job, after: count)
            let record = try await job.finished(.object(["embedded": .integer(count)]))
            try await service.gallery.activate(model, finishing: record)
            service.models.promote()
            BufferPool.shared.drainSoon()
            return record
        } catch {
            service.models.dismiss()
            BufferPool.shared.drainSoon()
            throw error
        }
    }

    /// Embeds until nothing is lacking, or so many sightings, and gives their number.
    ///
    /// - Parameter before: how many the job has embedded already.
    private func embedLacking(
        _ encoder: any TripleEncoder, _ standIn: String?, _ job: JobHandle, after before: Int = 0, atMost: Int = .max
    ) async throws -> Int {
        var done = 0
        while done < atMost {
            let lacking = try await service.gallery.lacking(model: model, standIn: standIn).sightings
            await job.report(before + done, of: before + done + lacking)
            if lacking == 0 { return done }
            let (total, start) = (done + lacking, done)
            var key: Int64 = 0
            while done < atMost,
                case let pending = try await service.gallery.sightingsLacking(model: model, limit: 16, after: key),
                let last = pending.last
            {
                for sighting in pending {
                    try await embed(sighting, encoder, standIn)
                    done += 1
                    await job.report(before + done, of: before + max(total, done))
                }
                key = last.key
            }
            precondition(done > start, "sightings that lack a model are listed")
        }
        return done
    }

    private func embed(_ sighting: PendingSighting, _ encoder: any TripleEncoder, _ standIn: String?) async throws {
        try Task.checkCancellation()
        do {
            let embeddings = try await embeddings(sighting, encoder, standIn)
            try await service.gallery.addEmbeddings(embeddings, to: sighting.sighting, in: sighting.gallery)
        } catch GalleryError.notFound {
            // Deleted in the meantime.
        }
    }

    private func embeddings(
        _ sighting: PendingSighting, _ encoder: any TripleEncoder, _ standIn: String?
    ) async throws -> [SightingEmbedding] {
        if let encoded = try await service.encodeInBackground(sighting.images, with: encoder, withSubsets: true) {
            return encoded.stored(model: model)
        }
        guard let standIn else {
            throw ModelError.imagesMissing(
                count: 1,
                reason: "sighting \(sighting.sighting) has no image of \(encoder.modalities.map(\.rawValue))")
        }
        return try await service.gallery.embeddings(of: sighting.sighting, in: sighting.gallery, model: standIn)
            .map { SightingEmbedding(model: model, modalities: $0.modalities, values: $0.values) }
    }
}
