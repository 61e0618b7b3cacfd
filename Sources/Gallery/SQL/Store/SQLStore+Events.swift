import Documents
import Foundation
import Synchronization

/// The last event that was committed, so that whoever waits for more need not ask the database.
final class EventCounter: Sendable {
    /// Sightings that an erasure's event names; it counts all.
    static let mostNamed = 1000

    private let value = Mutex<Int64>(0)

    var last: Int64 { value.withLock { $0 } }

    func reach(_ id: Int64) { value.withLock { $0 = max($0, id) } }
}

extension SQLSession {
    /// Writes down what has just happened.
    func announce(
        _ kind: GalleryEvent.Kind, gallery: Int64?, sighting: Int64? = nil, score: Float? = nil,
        detail: JSONValue? = nil
    ) throws {
        let text = try detail.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
        let id = try insert(
            """
            INSERT INTO event (kind, created_at, gallery_id, sighting_id, score, detail) VALUES (?, ?, ?, ?, ?, ?)
            """, [kind.rawValue, Date().milliseconds, gallery, sighting, score, text])
        announced(id)
    }

    /// The same of a sighting, and again if its identity is on the watchlist.
    func announceSighting(
        _ kind: GalleryEvent.Kind, _ sighting: SightingRecord, gallery: Int64, score: Float? = nil
    ) throws {
        let row = try self.only(
            """
            SELECT s.id, i.watchlist FROM sighting s JOIN identity i ON i.id = s.identity_id
            WHERE s.gallery_id = ? AND s.uuid = ?
            """, [gallery, sighting.id])
        try announce(kind, gallery: gallery, sighting: row[0], score: score)
        if row[1] { try announce(.watchlist, gallery: gallery, sighting: row[0], score: score) }
    }

    /// That sightings are no more, by their identifiers; `count` of them if not all are given.
    func announceErasure(
        of sightings: [String], count: Int? = nil, gallery: Int64
    ) throws {
        if sightings.isEmpty { return }
        let named = sightings.prefix(EventCounter.mostNamed).map(JSONValue.string)
        let detail: [String: JSONValue] = ["sightings": .array(named), "count": .integer(count ?? sightings.count)]
        try announce(.erased, gallery: gallery, detail: .object(detail))
    }
}

extension SQLStore {
    /// Events that are read at once, whoever they are for.
    private static let batch = 500

    var lastEvent: Int64 { engine.events.last }

    /// The last event that there ever was, of those that are committed.
    static func newestEvent(_ db: any SQLSession) throws -> Int64 {
        try db.value(Int64.self, db.dialect.newestEvent) ?? 0
    }

    func events(after last: Int64, _ filter: EventFilter) async throws -> EventBatch {
        try await read { db in
            let floor: Int64 = try db.only("SELECT id FROM event_floor")[0]
            let newest = try Self.newestEvent(db)
            // A place that this database has not reached was told by another, as before a restore.
            let hasGap = last < floor || last > newest
            let start = last > newest ? newest : last
            let end = try db.value(
                Int64.self, "SELECT MAX(id) FROM (SELECT id FROM event WHERE id > ? ORDER BY id LIMIT ?) AS batch",
                [start, Self.batch])
            guard let end else { return EventBatch(events: [], last: max(start, newest), hasGap: hasGap) }
            let wanted = Self.condition(filter)
            let rows = try db.rows(
                "\(Self.selectEvent) WHERE e.id > ? AND e.id <= ? AND \(wanted.sql) ORDER BY e.id",
                [start, end] + wanted.arguments)
            return EventBatch(events: try rows.map(GalleryEvent.init), last: end, hasGap: hasGap)
        }
    }

    /// Without those of what was erased.
    private static let selectEvent = """
        SELECT e.*, g.name AS gallery, i.name AS identity, i.label, s.uuid, s.camera, s.captured_at
        FROM event e LEFT JOIN live_gallery g ON g.id = e.gallery_id LEFT JOIN live_sighting s ON s.id = e.sighting_id
            LEFT JOIN identity i ON i.id = s.identity_id
        """

    private static func condition(_ filter: EventFilter) -> (sql: String, arguments: [any SQLArgument]) {
        let kinds = filter.kinds?.map(\.rawValue)
        let parts = [
            ("(e.sighting_id IS NULL OR s.id IS NOT NULL) AND (e.gallery_id IS NULL OR g.id IS NOT NULL)", nil),
            // A gallery that was erased is named by its event.
            (isAmong("coalesce(g.name, e.detail ->> 'gallery')", filter.galleries), filter.galleries),
            (isAmong("s.camera", filter.cameras), filter.cameras),
            (isAmong("i.name", filter.identities), filter.identities),
            (isAmong("e.kind", kinds), kinds),
        ]
        return (parts.map(\.0).joined(separator: " AND "), parts.flatMap { $0.1 ?? [] })
    }

    func forgetEvents(before time: Date) async throws {
        try await write { db in
            let last = try db.value(Int64.self, "SELECT MAX(id) FROM event WHERE created_at < ?", [time.milliseconds])
            guard let last else { return }
            try db.execute("DELETE FROM event WHERE id <= ?", [last])
            try db.execute("UPDATE event_floor SET id = ?", [last])
        }
    }
}

extension GalleryEvent {
    fileprivate init(_ row: SQLRow) throws {
        let (kind, detail): (String, String?) = (row["kind"], row["detail"])
        guard let kind = Kind(rawValue: kind) else { throw GalleryError.storage("an event of the kind \(kind)") }
        let capturedAt: Int64? = row["captured_at"]
        self.init(
            id: row["id"], kind: kind, at: Date(milliseconds: row["created_at"]), gallery: row["gallery"],
            identity: row["identity"], label: row["label"], sighting: row["uuid"], camera: row["camera"],
            capturedAt: capturedAt.map(Date.init(milliseconds:)), score: row["score"],
            detail: try detail.map { try JSONDecoder().decode(JSONValue.self, from: Data($0.utf8)) })
    }
}
