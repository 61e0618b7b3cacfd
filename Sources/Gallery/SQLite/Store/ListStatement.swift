import Foundation
import GRDB

/// A statement that lists rows of a gallery in an order that an index has, a page at a time.
///
/// Where several rows may have the same value, a page goes on within these first and then after them: it costs a page, and what is
/// equal to where it begins.
package struct ListStatement {
    /// Identities as `IdentityRecord` reads them; without sightings that are hidden already, of which there are seldom any.
    static let identities = """
        \(selectIdentity) FROM live_identity i JOIN identity_tally t ON t.identity_id = i.id
        """

    private static let selectIdentity = """
        SELECT i.*, t.last_seen, t.sightings - CASE WHEN EXISTS (SELECT 1 FROM erased_sighting) THEN (
                SELECT COUNT(*) FROM sighting s WHERE s.gallery_id = i.gallery_id AND s.identity_id = i.id
                    AND s.id IN (SELECT sighting_id FROM erased_sighting)
            ) ELSE 0 END AS sightings
        """

    /// Sightings as `SightingRecord` reads them.
    static let sightings = """
        SELECT s.*, i.name AS identity, \(modalities) AS modalities
        FROM live_sighting s JOIN identity i ON i.id = s.identity_id
        """

    /// Of a sighting's kept images.
    static let modalities = """
        (SELECT group_concat(modality) FROM (SELECT modality FROM image WHERE sighting_id = s.id ORDER BY modality))
        """

    /// What is selected, from where; and the columns of the gallery, of what is sorted by and of rows.
    private let select: String
    private let gallery: String
    private let value: String?
    private let key: String
    private let filter: SQL
    /// Whether the filter has an index of its own, in the order of rows.
    private let isIndexed: Bool
    private let isDescending: Bool

    /// Identities in an order.
    package init(_ filter: IdentityListFilter, _ order: IdentityOrder, isDescending: Bool) {
        self.isDescending = isDescending
        (self.filter, isIndexed) = (filter.sql, filter.label != nil || filter.isLabelled == false)
        if order == .lastSeen {
            // From the tally, whose index has the order.
            select = """
                \(Self.selectIdentity) FROM identity_tally t CROSS JOIN live_identity i ON i.id = t.identity_id
                """
            (gallery, value, key) = ("t.gallery_id", "t.last_seen", "t.identity_id")
        } else {
            (select, gallery, key) = (Self.identities, "i.gallery_id", "i.id")
            value = order == .created ? nil : order == .name ? "i.name" : "i.label"
        }
    }

    /// Sightings in an order.
    package init(_ filter: SightingListFilter, _ order: SightingOrder, isDescending: Bool) {
        self.isDescending = isDescending
        (self.filter, isIndexed) = (filter.sql, false)
        (select, gallery, key) = (Self.sightings, "s.gallery_id", "s.id")
        value = order == .captured ? "s.captured_at" : nil
    }

    /// Those after a place, at most so many, in one statement or two.
    package func requests(_ id: Int64, after start: (value: DatabaseValue, key: Int64)?, limit: Int) -> [SQL] {
        let beyond: SQL = isDescending ? "<" : ">"
        let (key, column) = (SQL(sql: key), value.map { SQL(sql: $0) })
        func page(_ place: SQL) -> SQL {
            let direction: SQL = isDescending ? "DESC" : "ASC"
            let order: SQL =
                column.map { "\(literal: $0) \(literal: direction), \(literal: key) \(literal: direction)" as SQL }
                ?? "\(literal: key) \(literal: direction)"
            let present: SQL = column.map { " AND \(literal: $0) IS NOT NULL" as SQL } ?? ""
            return """
                \(sql: select) WHERE \(sql: gallery) = \(id)\(literal: present)\(literal: filter)\(literal: place) ORDER BY \(literal: order) LIMIT \(limit)
                """
        }
        guard let start else { return [page("")] }
        // A plus keeps SQLite from the index of rows, which has everything else of the gallery too.
        guard let column else {
            let plus: SQL = isIndexed ? "+" : ""
            return [page(" AND \(literal: plus)\(literal: key) \(literal: beyond) \(start.key)")]
        }
        return [
            page(" AND \(literal: column) = \(start.value) AND +\(literal: key) \(literal: beyond) \(start.key)"),
            page(" AND \(literal: column) \(literal: beyond) \(start.value)"),
        ]
    }

    /// A page of them.
    func page<Item, Order>(
        _ id: Int64, _ page: SortedPageRequest<Order>, _ db: Database, _ item: (Row) throws -> Item
    ) throws -> Page<Item> {
        var rows: [Row] = []
        for request in requests(id, after: page.start.map { ($0.value.column, $0.key) }, limit: page.limit + 1)
        where rows.count <= page.limit {
            rows += try SQLRequest<Row>(literal: request).fetchAll(db)
        }
        let items = try rows.prefix(page.limit).map(item)
        guard rows.count > page.limit else { return Page(items: items, next: nil) }
        let last = rows[page.limit - 1]
        // Without the table's letter.
        let column = value.map { String($0.dropFirst(2)) }
        return Page(items: items, next: page.cursor(SortedCursor.Value(last, column), last["id"]))
    }
}

extension SortedCursor.Value {
    fileprivate init(_ row: Row, _ column: String?) {
        switch column.map({ row[$0] as DatabaseValue })?.storage {
        case .string(let text): self = .text(text)
        case .int64(let time): self = .time(time)
        default: self = .none
        }
    }

    fileprivate var column: DatabaseValue {
        switch self {
        case .none: .null
        case .text(let text): text.databaseValue
        case .time(let time): time.databaseValue
        }
    }
}

extension IdentityListFilter {
    /// Conditions on `i`.
    var sql: SQL {
        var conditions: [SQL] = []
        if let label { conditions.append("i.label = \(label)") }
        // No text that begins so comes after the last scalar, which no label has.
        if let labelPrefix {
            conditions.append("i.label >= \(labelPrefix) AND i.label < \(labelPrefix) || char(1114111)")
        }
        if let isLabelled { conditions.append(isLabelled ? "i.label IS NOT NULL" : "i.label IS NULL") }
        return conditions.map { " AND \(literal: $0)" as SQL }.joined()
    }
}

extension SightingListFilter {
    /// Conditions on `s` and its identity `i`.
    var sql: SQL {
        var conditions: [SQL] = []
        if let camera { conditions.append("s.camera = \(camera)") }
        if let capturedAfter { conditions.append("s.captured_at >= \(capturedAfter.milliseconds)") }
        if let capturedBefore { conditions.append("s.captured_at < \(capturedBefore.milliseconds)") }
        return conditions.map { " AND \(literal: $0)" as SQL }.joined() + identities.sql
    }
}
