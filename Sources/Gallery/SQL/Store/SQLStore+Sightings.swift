import Foundation

extension SQLStore {
    func sightings(of identity: String, in gallery: String, _ page: PageRequest) async throws -> Page<SightingRecord> {
        try await read { db in
            let galleryID = try Self.galleryID(gallery, db)
            let rows = try db.rows(
                """
                \(ListStatement.sightings(db.dialect)) WHERE s.gallery_id = ? AND s.identity_id = ? AND s.id > ? ORDER BY s.id LIMIT ?
                """, [galleryID, Self.identityID(identity, galleryID, db), page.start, page.limit + 1])
            return Page(try rows.map { ($0["id"], try SightingRecord($0)) }, page)
        }
    }

    func sighting(_ id: String, in gallery: String) async throws -> SightingRecord {
        try await read { db in
            try Self.sightingRecord(row: Self.sightingID(id, Self.galleryID(gallery, db), db), db)
        }
    }

    func deleteSighting(_ id: String, in gallery: String) async throws {
        try await erase { db in
            let galleryID = try Self.galleryID(gallery, db)
            let row = try Self.sightingID(id, galleryID, db)
            try db.announceErasure(of: [id], gallery: galleryID)
            try db.audit(.sightingsErased, gallery: galleryID, subject: row)
            try db.execute("DELETE FROM sighting WHERE id = ?", [row])
            db.apply([.removeSightings([row], gallery: galleryID)])
        }
    }

    func updateSighting(
        _ id: String, in gallery: String, _ patch: SightingPatch
    ) async throws -> SightingRecord {
        try await write { db in
            let galleryID = try Self.galleryID(gallery, db)
            let row = try Self.sightingID(id, galleryID, db)
            if case .set(let camera) = patch.camera {
                try db.execute("UPDATE sighting SET camera = ? WHERE id = ?", [camera, row])
            }
            if case .set(let time) = patch.capturedAt {
                try db.execute("UPDATE sighting SET captured_at = ? WHERE id = ?", [time?.milliseconds, row])
            }
            if case .set(let metadata) = patch.metadata {
                let text = try MetadataColumn.text(metadata)
                try db.execute("UPDATE sighting SET metadata = ? WHERE id = ?", [text, row])
            }
            try RowDigest.keep(sighting: row, db)
            try db.audit(.sightingChanged, gallery: galleryID, subject: row)
            let record = try Self.sightingRecord(row: row, db)
            db.apply(
                [
                    .describe(
                        row, camera: record.camera, capturedAt: record.capturedAt?.milliseconds, gallery: galleryID)
                ])
            return record
        }
    }

    func image(_ modality: String, of sighting: String, in gallery: String) async throws -> KeptImage {
        try await read { db in
            let row = try Self.sightingID(sighting, Self.galleryID(gallery, db), db)
            guard let image = try Self.images(of: row, only: modality, db).first else {
                throw GalleryError.notFound(.image, modality)
            }
            return image
        }
    }

    func images(of sighting: String, in gallery: String) async throws -> [ImageRecord] {
        try await read { db in
            let row = try Self.sightingID(sighting, Self.galleryID(gallery, db), db)
            return try db.rows(
                """
                SELECT modality, content_type, length(bytes) FROM image WHERE sighting_id = ? ORDER BY modality
                """, [row]
            ).map { ImageRecord(modality: $0[0], contentType: $0[1], bytes: $0[2]) }
        }
    }

    private static func sightingID(_ id: String, _ gallery: Int64, _ db: any SQLSession) throws -> Int64 {
        let row = try db.value(
            Int64.self, "SELECT id FROM live_sighting WHERE gallery_id = ? AND uuid = ?", [gallery, id])
        guard let row else { throw GalleryError.notFound(.sighting, id) }
        return row
    }

    static func sightingRecord(row: Int64, _ db: any SQLSession) throws -> SightingRecord {
        try SightingRecord(db.only("\(ListStatement.sightings(db.dialect)) WHERE s.id = ?", [row]))
    }

    /// By modality; all of them, or the one of a modality.
    static func images(of sighting: Int64, only modality: String? = nil, _ db: any SQLSession) throws -> [KeptImage] {
        let boxes = try BoxesColumn.decode(
            db.value(String.self, "SELECT boxes FROM sighting WHERE id = ?", [sighting]))
        return try db.rows(
            """
            SELECT modality, content_type, bytes FROM image
            WHERE sighting_id = ?1 AND (modality = ?2 OR ?2 IS NULL) ORDER BY modality
            """, [sighting, modality]
        ).map { KeptImage(modality: $0[0], contentType: $0[1], bytes: $0[2], box: boxes[$0[0]]) }
    }
}

extension SightingRecord {
    init(_ row: SQLRow) throws {
        let modalities: String? = row["modalities"]
        let capturedAt: Int64? = row["captured_at"]
        self.init(
            id: row["uuid"], identity: row["identity"], camera: row["camera"],
            capturedAt: capturedAt.map(Date.init(milliseconds:)),
            metadata: try MetadataColumn.decode(row["metadata"]), createdAt: Date(milliseconds: row["created_at"]),
            modalities: modalities?.split(separator: ",").map(String.init) ?? [],
            boxes: try BoxesColumn.decode(row["boxes"]))
    }
}
