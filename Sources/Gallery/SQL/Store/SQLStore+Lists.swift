import Foundation

extension PageRequest {
    /// The rows of the part, by a key that grows: a condition with `place` for `start`, and the order.
    func clause(_ key: String, place: String = "?") -> (rest: String, order: String) {
        isDescending ? ("\(key) < \(place)", "\(key) DESC") : ("\(key) > \(place)", key)
    }
}

extension SQLStore {
    func identities(
        in gallery: String, _ filter: IdentityListFilter, _ page: SortedPageRequest<IdentityOrder>
    ) async throws -> Page<IdentityRecord> {
        try await read { db in
            try ListStatement(filter, page.order, isDescending: page.isDescending)
                .page(Self.galleryID(gallery, db), page, db, IdentityRecord.init)
        }
    }

    func sightings(
        in gallery: String, _ filter: SightingListFilter, _ page: SortedPageRequest<SightingOrder>
    ) async throws -> Page<SightingRecord> {
        try await read { db in
            try ListStatement(filter, page.order, isDescending: page.isDescending, db.dialect)
                .page(Self.galleryID(gallery, db), page, db, SightingRecord.init)
        }
    }

    func facets(
        in gallery: String, _ filter: SightingListFilter, by bucket: TimeBucket
    ) async throws -> GalleryFacets {
        try await read { db in try FacetCount(Self.galleryID(gallery, db), filter, db).facets(by: bucket) }
    }
}

/// Counts sightings that a filter admits.
private struct FacetCount {
    private static let mostCameras = 100
    private static let mostTimes = 1000

    private let db: any SQLSession
    /// What is counted, from where.
    private let source: SQLFragment

    init(_ gallery: Int64, _ filter: SightingListFilter, _ db: any SQLSession) {
        self.db = db
        source = """
            FROM live_sighting s JOIN identity i ON i.id = s.identity_id WHERE s.gallery_id = \(gallery)\(part: filter.sql)
            """
    }

    func facets(by bucket: TimeBucket) throws -> GalleryFacets {
        let labels = try db.rows(
            "SELECT i.label IS NOT NULL, COUNT(DISTINCT s.identity_id), COUNT(*) \(part: source) GROUP BY 1"
        )
        .reduce(into: [Bool: GalleryFacets.Labels]()) {
            $0[$1[0]] = GalleryFacets.Labels(identities: $1[1], sightings: $1[2])
        }
        let (labelled, unlabelled) = (labels[true] ?? .none, labels[false] ?? .none)
        return GalleryFacets(
            sightings: labelled.sightings + unlabelled.sightings,
            identities: labelled.identities + unlabelled.identities, cameras: try cameras(),
            times: try times(bucket), modalities: try modalities(), labelled: labelled, unlabelled: unlabelled)
    }

    private func cameras() throws -> GalleryFacets.Cameras {
        var (items, others, unknown) = ([GalleryFacets.Camera](), 0, 0)
        for row in try db.rows("SELECT s.camera, COUNT(*) AS n \(part: source) GROUP BY 1 ORDER BY n DESC, s.camera") {
            if let camera: String = row[0] {
                if items.count < Self.mostCameras {
                    items.append(GalleryFacets.Camera(camera: camera, sightings: row[1]))
                } else {
                    others += row[1]
                }
            } else {
                unknown = row[1]
            }
        }
        return GalleryFacets.Cameras(items: items, others: others, unknown: unknown)
    }

    private func times(_ bucket: TimeBucket) throws -> GalleryFacets.Times {
        var (items, earlier, unknown) = ([GalleryFacets.Time](), 0, 0)
        for row in try db.rows(
            "SELECT \(sql: bucket.start(db.dialect)), COUNT(*) \(part: source) GROUP BY 1 ORDER BY 1 DESC")
        {
            if let start: Int64 = row[0] {
                if items.count < Self.mostTimes {
                    items.append(GalleryFacets.Time(start: Date(milliseconds: start), sightings: row[1]))
                } else {
                    earlier += row[1]
                }
            } else {
                unknown = row[1]
            }
        }
        return GalleryFacets.Times(bucket: bucket, items: items.reversed(), earlier: earlier, unknown: unknown)
    }

    private func modalities() throws -> [GalleryFacets.Modalities] {
        let sets: SQLFragment = """
            SELECT \(sql: ListStatement.modalities(db.dialect)), COUNT(*) AS n \(part: source)
            GROUP BY 1 ORDER BY n DESC, 1 NULLS FIRST
            """
        return try db.rows(sets).map { row in
            let names: String? = row[0]
            return GalleryFacets.Modalities(
                modalities: names?.split(separator: ",").map(String.init) ?? [], sightings: row[1])
        }
    }

}

extension TimeBucket {
    /// When that of `s.captured_at` begins, in milliseconds since 1970. A remainder has the sign of what is divided.
    fileprivate func start(_ dialect: SQLDialect) -> String {
        switch self {
        case .hour: Self.floor("s.captured_at", 3_600_000)
        case .day: Self.floor("s.captured_at", 86_400_000)
        // 1970 began on a Thursday.
        case .week: "\(Self.floor("(s.captured_at + 259200000)", 604_800_000)) - 259200000"
        case .month: dialect.month(of: Self.floor("s.captured_at", 1000))
        }
    }

    private static func floor(_ time: String, _ length: Int) -> String {
        "(\(time) - ((\(time) % \(length)) + \(length)) % \(length))"
    }
}
