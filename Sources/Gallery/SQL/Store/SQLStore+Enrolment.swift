import Foundation

extension SQLStore {
    func enrol(
        _ enrolments: [Result<Enrolment, any Error>], in gallery: String, isAnnounced: Bool
    ) async throws -> [Result<EnrolmentReceipt, any Error>] {
        try await write { [configuration] db in
            let galleryID = try Self.galleryID(gallery, db)
            if configuration.sharing { try Self.requireActive(enrolments.compactMap { try? $0.get() }, db) }
            var changes: [IndexChange] = []
            let receipts = try enrolments.map { enrolment -> Result<EnrolmentReceipt, any Error> in
                do {
                    return .success(
                        try Self.enrol(
                            enrolment.get(), galleryID, keepsImages: configuration.keepsImages, &changes, db))
                } catch let error as GalleryError {
                    return .failure(error)
                }
            }
            db.apply(changes)
            let new = receipts.compactMap { try? $0.get() }.filter { !$0.isReplay }.map(\.sighting)
            if isAnnounced {
                for sighting in new { try db.announceSighting(.enrolled, sighting, gallery: galleryID) }
            }
            try db.auditEnrolment(of: new.count, gallery: galleryID)
            return receipts
        }
    }

    static func enrol(
        _ enrolment: Enrolment, _ gallery: Int64, keepsImages: Bool, _ changes: inout [IndexChange],
        _ db: any SQLSession
    ) throws -> EnrolmentReceipt {
        if let earlier = try replay(enrolment.idempotency, gallery, db) {
            return EnrolmentReceipt(sighting: earlier, isReplay: true)
        }
        // Of what is refused half way nothing stays.
        let (receipt, own) = try db.savepoint {
            let identity = try identityToEnrol(enrolment, gallery, db)
            let sighting = try insertSighting(enrolment, gallery, identity, keepsImages ? enrolment.images : [], db)
            try RowDigest.keep(sighting: sighting, db)
            let owner = SightingOwner(
                gallery: gallery, identity: identity, sighting: sighting, camera: enrolment.camera,
                capturedAt: enrolment.capturedAt?.milliseconds)
            let own = try insertEmbeddings(enrolment.embeddings, owner, db)
            return (EnrolmentReceipt(sighting: try sightingRecord(row: sighting, db), isReplay: false), own)
        }
        changes += own
        return receipt
    }

    func enrolled(
        before enrolment: Enrolment, in gallery: String, acknowledging: Bool
    ) async throws -> EnrolmentReceipt? {
        let find = { @Sendable (db: any SQLSession) in
            (try Self.replay(enrolment.idempotency, Self.galleryID(gallery, db), db), db.dialect)
        }
        var (earlier, dialect) = try await read(find)
        // A primary that was started again shows what no standby has; a commit waits for these.
        if earlier != nil, acknowledging, dialect == .postgresql { (earlier, dialect) = try await write(find) }
        return earlier.map { EnrolmentReceipt(sighting: $0, isReplay: true) }
    }

    static func replay(
        _ idempotency: Idempotency?, _ gallery: Int64, _ db: any SQLSession
    ) throws -> SightingRecord? {
        guard let idempotency else { return nil }
        let earlier = try db.first(
            "SELECT id, fingerprint FROM live_sighting WHERE gallery_id = ? AND idempotency_key = ?",
            [gallery, idempotency.key])
        guard let earlier else { return nil }
        guard earlier["fingerprint"] == idempotency.fingerprint else {
            throw GalleryError.idempotencyConflict(key: idempotency.key)
        }
        return try sightingRecord(row: earlier["id"], db)
    }

    private static func identityToEnrol(_ enrolment: Enrolment, _ gallery: Int64, _ db: any SQLSession) throws -> Int64
    {
        try findIdentity(enrolment.identity, gallery, db)
            ?? insertIdentity(NewIdentity(enrolment.identity, label: enrolment.identityLabel), gallery, db)
    }

    private static func insertSighting(
        _ enrolment: Enrolment, _ gallery: Int64, _ identity: Int64, _ images: [KeptImage], _ db: any SQLSession
    ) throws -> Int64 {
        let now = Date()
        if let key = enrolment.idempotency?.key {
            // One that was erased and is not deleted yet no longer needs it.
            try db.execute(
                """
                UPDATE sighting SET idempotency_key = NULL, fingerprint = NULL
                WHERE gallery_id = ? AND idempotency_key = ?
                """, [gallery, key])
        }
        let sighting = try db.insert(
            """
            INSERT INTO sighting (gallery_id, identity_id, uuid, camera, captured_at, metadata, created_at,
                idempotency_key, fingerprint, boxes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                gallery, identity, SightingIdentifier.make(at: now), enrolment.camera,
                enrolment.capturedAt?.milliseconds, MetadataColumn.text(enrolment.metadata), now.milliseconds,
                enrolment.idempotency?.key, enrolment.idempotency?.fingerprint, BoxesColumn.text(images),
            ])
        try insertImages(images, sighting, db)
        return sighting
    }

    private static func insertImages(_ images: [KeptImage], _ sighting: Int64, _ db: any SQLSession) throws {
        for image in images {
            try db.execute(
                "INSERT INTO image (sighting_id, modality, content_type, bytes) VALUES (?, ?, ?, ?)",
                [sighting, image.modality, image.contentType, image.bytes])
        }
    }
}
