import Foundation

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
    static func sightings(_ dialect: SQLDialect) -> String {
        """
        SELECT s.*, i.name AS identity, \(modalities(dialect)) AS modalities
        FROM live_sighting s JOIN identity i ON i.id = s.identity_id
        """
    }

    /// Of a sighting's kept images.
    static func modalities(_ dialect: SQLDialect) -> String {
        dialect.list("modality", from: "image WHERE sighting_id = s.id")
    }

    /// What is selected, from where; and the columns of the gallery, of what is sorted by and of rows.
    private let select: String
    private let gallery: String
    private let value: String?
    private let key: String
    private let filter: SQLFragment
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
    package init(
        _ filter: SightingListFilter, _ order: SightingOrder, isDescending: Bool, _ dialect: SQLDialect = .sqlite
    ) {
        self.isDescending = isDescending
        (self.filter, isIndexed) = (filter.sql, false)
        (select, gallery, key) = (Self.sightings(dialect), "s.gallery_id", "s.id")
        value = order == .captured ? "s.captured_at" : nil
    }

    /// Those after a place, at most so many, in one statement or two.
    package func requests(_ id: Int64, after start: (value: SQLValue, key: Int64)?, limit: Int) -> [SQLFragment] {
        let beyond = isDescending ? "<" : ">"
        func page(_ place: SQLFragment) -> SQLFragment {
            let direction = isDescending ? "DESC" : "ASC"
            let order = (value.map { [$0] } ?? []) + [key]
            return """
                \(sql: select) WHERE \(sql: gallery) = \(id)\(sql: value.map { " AND \($0) IS NOT NULL" } ?? "")\(part: filter)\(part: place)
                ORDER BY \(sql: order.map { "\($0) \(direction)" }.joined(separator: ", ")) LIMIT \(limit)
                """
        }
        guard let start else { return [page("")] }
        // A plus keeps SQLite from the index of rows, which has everything else of the gallery too.
        guard let value else {
            return [page(" AND \(sql: isIndexed ? "+" : "")\(sql: key) \(sql: beyond) \(start.key)")]
        }
        return [
            page(" AND \(sql: value) = \(start.value) AND +\(sql: key) \(sql: beyond) \(start.key)"),
            page(" AND \(sql: value) \(sql: beyond) \(start.value)"),
        ]
    }

    /// A page of them.
    func page<Item, Order>(
        _ id: Int64, _ page: SortedPageRequest<Order>, _ db: any SQLSession, _ item: (SQLRow) throws -> Item
    ) throws -> Page<Item> {
        var rows: [SQLRow] = []
        for request in requests(id, after: page.start.map { ($0.value.column, $0.key) }, limit: page.limit + 1)
        where rows.count <= page.limit {
            rows += try db.rows(request)
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
    fileprivate init(_ row: SQLRow, _ column: String?) {
        switch column.map({ row[$0] as SQLValue }) {
        case .text(let text): self = .text(text)
        case .integer(let time): self = .time(time)
        default: self = .none
        }
    }

    fileprivate var column: SQLValue {
        switch self {
        case .none: .null
        case .text(let text): .text(text)
        case .time(let time): .integer(time)
        }
    }
}

extension IdentityListFilter {
    /// Conditions on `i`.
    var sql: SQLFragment {
        var conditions: [SQLFragment] = []
        if let label { conditions.append("i.label = \(label)") }
        // No text that begins so comes after the last scalar, which no label has.
        if let labelPrefix {
            conditions.append("i.label >= \(labelPrefix) AND i.label < \(labelPrefix + "\u{10FFFF}")")
        }
        if let isLabelled { conditions.append(isLabelled ? "i.label IS NOT NULL" : "i.label IS NULL") }
        return conditions.map { " AND \(part: $0)" as SQLFragment }.joined()
    }
}

extension SightingListFilter {
    /// Conditions on `s` and its identity `i`.
    var sql: SQLFragment {
        var conditions: [SQLFragment] = []
        if let camera { conditions.append("s.camera = \(camera)") }
        if let capturedAfter { conditions.append("s.captured_at >= \(capturedAfter.milliseconds)") }
        if let capturedBefore { conditions.append("s.captured_at < \(capturedBefore.milliseconds)") }
        return conditions.map { " AND \(part: $0)" as SQLFragment }.joined() + identities.sql
    }
}
