import Foundation

extension GalleryStore {
    /// Enrols a sighting, making its identity if that is new. Returns after the commit; the sighting is on the disk, and
    /// every query that starts from then on sees it.
    ///
    /// A repeated idempotency key with the same fingerprint gives the original sighting and changes nothing; with
    /// another fingerprint it throws `.idempotencyConflict`. Throws `.notFound` for the gallery, `.invalid`,
    /// `.dimensionMismatch`, `.busy`, `.full` or `.storage`; then nothing was enrolled.
    public func enrol(_ enrolment: Enrolment, in gallery: String) async throws -> EnrolmentReceipt {
        try enrolment.validate()
        return try await stages.time(.commit) {
            try await transactions.enrol([.success(enrolment)], in: gallery, isAnnounced: true)[0].get()
        }
    }

    /// Enrols several in one transaction, in their order, without events; what is wrong with one is its result, and the others are
    /// enrolled.
    /// Throws `.notFound` for the gallery, `.busy`, `.full` or `.storage`; then none was.
    public func enrol(
        _ enrolments: [Enrolment], in gallery: String
    ) async throws -> [Result<EnrolmentReceipt, any Error>] {
        let valid = enrolments.map { enrolment in Result { try enrolment.validate() }.map { enrolment } }
        return try await stages.time(.commit) {
            try await transactions.enrol(valid, in: gallery, isAnnounced: false)
        }
    }

    /// What an enrolment with the same idempotency key and fingerprint gave before; nil if there was none. Checks the
    /// enrolment and its gallery too, so that one that will be refused is refused before it costs more. Throws as `enrol`
    /// does.
    ///
    /// - Parameter acknowledging: whether somebody is told that it is kept. Then it is as durable as if it were enrolled now: what a
    ///   read of PostgreSQL finds after a failure need not be on a standby yet.
    public func enrolled(
        before enrolment: Enrolment, in gallery: String, acknowledging: Bool = false
    ) async throws -> EnrolmentReceipt? {
        try enrolment.validate()
        return try await transactions.enrolled(before: enrolment, in: gallery, acknowledging: acknowledging)
    }

    /// An identity's sightings in order of enrolment. Throws `.notFound`.
    public func sightings(
        of identity: String, in gallery: String, _ page: PageRequest = .first
    ) async throws -> Page<SightingRecord> {
        try await transactions.sightings(of: identity, in: gallery, page)
    }

    /// A sighting. Throws `.notFound`.
    public func sighting(_ id: String, in gallery: String) async throws -> SightingRecord {
        try await transactions.sighting(id, in: gallery)
    }

    /// Changes what is known of a sighting beside its images; every query that starts from then on sees it so. Throws `.notFound` or
    /// `.invalid`.
    public func updateSighting(
        _ id: String, in gallery: String, _ patch: SightingPatch
    ) async throws -> SightingRecord {
        if case .set(let camera?) = patch.camera { try Validation.text(camera, "camera", limit: 128) }
        if case .set(let time) = patch.capturedAt { try Validation.date(time, "captured_at") }
        if case .set(let metadata) = patch.metadata { try Validation.metadata(metadata) }
        return try await transactions.updateSighting(id, in: gallery, patch)
    }

    /// A sighting's kept image; no other is read. Throws `.notFound`.
    public func image(_ modality: String, of sighting: String, in gallery: String) async throws -> KeptImage {
        try await transactions.image(modality, of: sighting, in: gallery)
    }

    /// What is known of a sighting's kept images, by modality, without reading them. Throws `.notFound`.
    public func images(of sighting: String, in gallery: String) async throws -> [ImageRecord] {
        try await transactions.images(of: sighting, in: gallery)
    }

    /// A gallery's next sightings in order of enrolment, with their images and a model's vectors, as many as fit 16 MiB but at
    /// least one. Throws `.notFound`.
    ///
    /// - Parameters:
    ///   - limit: how many at most, 1–1000.
    ///   - key: the last batch's `next`, 0 at first.
    /// - Returns: the sightings, and where to go on; nil at the end.
    public func exportBatch(
        in gallery: String, model: String, limit: Int = 100, after key: Int64 = 0
    ) async throws -> (sightings: [ExportedSighting], next: Int64?) {
        try Validation.limit(limit)
        return try await transactions.exportBatch(in: gallery, model: model, limit: limit, after: key)
    }

    /// Erases a sighting with its images and embeddings. Its identity stays. Throws `.notFound`.
    public func deleteSighting(_ id: String, in gallery: String) async throws {
        try await transactions.deleteSighting(id, in: gallery)
    }

    /// Erases the sightings that a filter admits, with their images and embeddings; identities stay. From the return on they are
    /// nowhere to be found; deleting them goes on in the background. Throws `.notFound`, and `.invalid` for a filter without a
    /// condition: that would be the gallery.
    ///
    /// - Returns: how many there were.
    public func eraseSightings(_ filter: QueryFilter, in gallery: String) async throws -> Int {
        try filter.validate()
        return try await transactions.eraseSightings(filter, in: gallery)
    }

    /// Erases what is older than its gallery keeps it: from when it was seen, or else enrolled. O(sightings of galleries with a
    /// retention).
    ///
    /// - Returns: how many there were.
    public func eraseExpired(at now: Date = Date()) async throws -> Int { try await transactions.eraseExpired(at: now) }
}
