import Documents
import Foundation
import Gallery
import Inference
import Tensor

/// Makes another model the active one without a gap: loads and warms it beside the active one, embeds with it what is
/// enrolled, and switches at one instant.
///
/// Until then the active model answers everything, and a crash leaves it active. The embeddings of the model that was
/// active stay, so that activating it again is as quick as loading it.
package struct Activation: Sendable {
    /// What it works with.
    package struct Parts: Sendable {
        package let models: ModelRegistry
        package let catalog: ModelCatalog
        package let gallery: GalleryStore
        package let encoding: EncodingService
        package let swap: ServingConfiguration.Swap
        package let keepsImages: Bool
        /// nil for a server that has its database alone.
        package let cluster: ServingCluster?

        package init(
            models: ModelRegistry, catalog: ModelCatalog, gallery: GalleryStore, encoding: EncodingService,
            swap: ServingConfiguration.Swap, keepsImages: Bool, cluster: ServingCluster? = nil
        ) {
            (self.models, self.catalog, self.gallery) = (models, catalog, gallery)
            (self.encoding, self.swap, self.keepsImages) = (encoding, swap, keepsImages)
            self.cluster = cluster
        }
    }

    let model: String
    let parts: Parts
    /// Called when everything is embedded and the switch is next; what is enrolled then must not be missing.
    var beforeSwitch: @Sendable () async throws -> Void = {}

    package init(
        of model: String, _ parts: Parts, beforeSwitch: @escaping @Sendable () async throws -> Void = {}
    ) {
        (self.model, self.parts, self.beforeSwitch) = (model, parts, beforeSwitch)
    }

    /// Throws `ModelError.imagesMissing` if there are sightings that this model cannot get into its embedding space,
    /// `.modalitiesLost` if it knows fewer modalities than the active one and that was not allowed, and
    /// `.insufficientMemory` if model and vectors would take too much.
    package func check(allowsFewerModalities: Bool) async throws {
        let summary = try parts.catalog.summary(model)
        let lost = parts.models.active.modalities.map(\.rawValue).filter { !summary.modalities.contains($0) }
        guard allowsFewerModalities || lost.isEmpty else { throw ModelError.modalitiesLost(lost) }
        let standIn = try standIn()
        let lacking = try await parts.gallery.lacking(model: model, standIn: standIn)
        let hopeless = standIn == nil ? lacking.withoutImages : lacking.withoutVectors
        guard hopeless == 0 else { throw ModelError.imagesMissing(count: hopeless, reason: try reason()) }
        // Codes of each modality and of all of them, a byte an element.
        let vectors = (summary.modalities.count + 1) * summary.dimension
        try await parts.catalog.requireMemory(for: model, vectors: lacking.sightings * vectors)
    }

    /// The active model, if the candidate's queries were measured to find among its vectors what its own do, or if it is the same
    /// in another precision, in which its self-test has passed.
    func standIn() throws -> String? {
        let active = parts.models.active.model
        if try isOnlyComputedOtherwise, try parts.catalog.summary(model).isSelfTested { return active }
        guard let space = try space(), space.parent == activeDigest,
            let cross = space.cross, cross.objection(to: parts.swap.cross) == nil
        else { return nil }
        return active
    }

    /// The digest of the active model's file.
    private var activeDigest: String {
        let active = parts.models.active.model
        return (try? parts.catalog.summary(active))?.digest ?? active
    }

    private var isOnlyComputedOtherwise: Bool {
        get throws { try parts.catalog.summary(model).digest == activeDigest }
    }

    private func space() throws -> EmbeddingSpace? {
        try parts.catalog.summary(model).embeddingSpace
    }

    private func reason() throws -> String {
        if try isOnlyComputedOtherwise { return "its file has no self-test that says how near its vectors are" }
        guard let space = try space() else {
            return "it does not say that its queries can be compared with vectors of the active model"
        }
        guard space.parent == activeDigest else {
            return "it was made from model \(space.parent), which is not the active one"
        }
        guard let cross = space.cross else {
            return "its file does not say how its queries do among its parent's vectors, as an earlier release wrote it"
        }
        return cross.objection(to: parts.swap.cross) ?? ""
    }

    /// Throws `ModelError`, `GalleryError`, `ServingError`, or `CancellationError`; then the active model is what it was.
    package func run(_ job: JobHandle) async throws -> JobRecord {
        if parts.models.active.model == model {
            // A job before this one made it so.
            return try await job.finished(.object(["embedded": .integer(0)]))
        }
        if let cluster = parts.cluster { return try await runShared(job, cluster) }
        let standIn = try standIn()
        let encoder = try await parts.catalog.encoder(model)
        do {
            // What is enrolled with images meanwhile can be embedded later: enrolments need not wait for two models yet.
            var count = 0
            if parts.keepsImages {
                let backlog = try await parts.gallery.lacking(model: model, standIn: standIn).sightings
                count = try await embedLacking(encoder, standIn, job, atMost: backlog)
            }
            parts.models.prepare(encoder)
            // From here on everything new is embedded by both; what began before must be on the disk to be found.
            while parts.models.hasEarlierEnrolments { try await Task.sleep(for: .milliseconds(5)) }
            count += try await embedLacking(encoder, standIn, job, after: count)
            try await beforeSwitch()
            let record = try await job.finished(.object(["embedded": .integer(count)]))
            try await parts.gallery.ledger.activate(model, finishing: record, moving: try await shift())
            parts.models.promote()
            BufferPool.shared.drainSoon()
            return record
        } catch {
            parts.models.dismiss()
            BufferPool.shared.drainSoon()
            throw error
        }
    }

    /// What the last comparison with the active model has found of its scores; nil if there was none. In another precision they
    /// are the same.
    func shift() async throws -> ThresholdShift? {
        if try isOnlyComputedOtherwise { return ThresholdShift([.init(active: 0, other: 0)]) }
        var (cursor, found) = (nil as String?, nil as ThresholdShift?)
        repeat {
            let page = try await parts.gallery.ledger.jobs(PageRequest(limit: 1000, after: cursor))
            for job in page.items where job.kind == JobKind.comparison.rawValue && job.model == model {
                found = ShadowReport.shift(job.result, from: parts.models.active.model) ?? found
            }
            cursor = page.next
        } while cursor != nil
        return found
    }

    /// Embeds until nothing is lacking, or so many sightings, and gives their number. What is deleted between two reads
    /// is not missed: each round counts anew.
    ///
    /// - Parameter before: how many the job has embedded already.
    func embedLacking(
        _ encoder: any TripleEncoder, _ standIn: String?, _ job: JobHandle, after before: Int = 0, atMost: Int = .max
    ) async throws -> Int {
        let embedder = BackgroundEmbedder(
            encoder: encoder, encoding: parts.encoding, gallery: parts.gallery, standIn: standIn,
            share: parts.swap.share)
        var done = 0
        while done < atMost {
            let lacking = try await parts.gallery.lacking(model: model, standIn: standIn).sightings
            await job.report(before + done, of: before + done + lacking)
            if lacking == 0 { return done }
            let total = done + lacking
            var next: Int64? = 0
            while done < atMost, let key = next {
                let batch = try await parts.gallery.pendingBatch(
                    model: model, limit: BackgroundEmbedder.atOnce, after: key)
                let additions = try await embedder.embed(batch.sightings)
                try await parts.gallery.addEmbeddings(additions)
                done += batch.sightings.count
                await job.report(before + done, of: before + max(total, done))
                next = batch.next
            }
        }
        return done
    }
}
