import Foundation
import GRDB

extension GalleryStore {
    /// Enrols a sighting, making its identity if that is new. Returns after the commit; the sighting is on the disk, and
    /// every query that starts from then on sees it.
    ///
    /// A repeated idempotency key with the same fingerprint gives the original sighting and changes nothing; with
    /// another fingerprint it throws `.idempotencyConflict`. Throws `.notFound` for the gallery, `.invalid`,
    /// `.dimensionMismatch`, `.busy`, `.full` or `.storage`; then nothing was enrolled.
    public func enrol(_ enrolment: Enrolment, in gallery: String) async throws -> EnrolmentReceipt {
        try enrolment.validate()
        return try await write { [configuration, indexes] db in
            let galleryID = try Self.galleryID(gallery, db)
            if let earlier = try Self.replay(enrolment.idempotency, galleryID, db) {
                return EnrolmentReceipt(sighting: earlier, isReplay: true)
            }
            let identity = try Self.identityToEnrol(enrolment, galleryID, db)
            let sighting = try Self.insertSighting(enrolment, galleryID, identity, db)
            if configuration.keepsImages { try Self.insertImages(enrolment.images, sighting, db) }
            try RowDigest.keep(sighting: sighting, db)
            let owner = SightingOwner(
                gallery: galleryID, identity: identity, sighting: sighting, camera: enrolment.camera,
                capturedAt: enrolment.capturedAt?.milliseconds)
            try Self.insertEmbeddings(enrolment.embeddings, owner, indexes, db)
            return EnrolmentReceipt(sighting: try Self.sightingRecord(row: sighting, db), isReplay: false)
        }
    }

    /// What an enrolment with the same idempotency key and fingerprint gave before; nil if there was none. Checks the
    /// enrolment and its gallery too, so that one that will be refused is refused before it costs more. Throws as `enrol`
    /// does.
    public func enrolled(before enrolment: Enrolment, in gallery: String) async throws -> EnrolmentReceipt? {
        try enrolment.validate()
        return try await read { db in
            try Self.replay(enrolment.idempotency, Self.galleryID(gallery, db), db)
                .map { EnrolmentReceipt(sighting: $0, isReplay: true) }
        }
    }

    private static func replay(
        _ idempotency: Idempotency?, _ gallery: Int64, _ db: Database
    ) throws -> SightingRecord? {
        guard let idempotency else { return nil }
        let earlier = try Row.fetchOne(
            db, sql: "SELECT id, fingerprint FROM live_sighting WHERE gallery_id = ? AND idempotency_key = ?",
            arguments: [gallery, idempotency.key])
        guard let earlier else { return nil }
        guard earlier["fingerprint"] == idempotency.fingerprint else {
            throw GalleryError.idempotencyConflict(key: idempotency.key)
        }
        return try sightingRecord(row: earlier["id"], db)
    }

    private static func identityToEnrol(_ enrolment: Enrolment, _ gallery: Int64, _ db: Database) throws -> Int64 {
        try findIdentity(enrolment.identity, gallery, db)
            ?? insertIdentity(enrolment.identity, gallery, label: enrolment.identityLabel, metadata: [:], db)
    }

    private static func insertSighting(
        _ enrolment: Enrolment, _ gallery: Int64, _ identity: Int64, _ db: Database
    ) throws -> Int64 {
        let now = Date()
        if let key = enrolment.idempotency?.key {
            // One that was erased and is not deleted yet no longer needs it.
            try db.execute(
                sql: """
                    UPDATE sighting SET idempotency_key = NULL, fingerprint = NULL
                    WHERE gallery_id = ? AND idempotency_key = ?
                    """, arguments: [gallery, key])
        }
        try db.execute(
            sql: """
                INSERT INTO sighting (gallery_id, identity_id, uuid, camera, captured_at, metadata, created_at,
                    idempotency_key, fingerprint)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                gallery, identity, SightingIdentifier.make(at: now), enrolment.camera,
                enrolment.capturedAt?.milliseconds, MetadataColumn.text(enrolment.metadata), now.milliseconds,
                enrolment.idempotency?.key, enrolment.idempotency?.fingerprint,
            ])
        return db.lastInsertedRowID
    }

    private static func insertImages(_ images: [KeptImage], _ sighting: Int64, _ db: Database) throws {
        for image in images {
            try db.execute(
                sql: "INSERT INTO image (sighting_id, modality, content_type, bytes) VALUES (?, ?, ?, ?)",
                arguments: [sighting, image.modality, image.contentType, image.bytes])
        }
    }
}
