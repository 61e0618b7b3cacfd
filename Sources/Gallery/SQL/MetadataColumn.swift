import Foundation

/// Metadata as the JSON text of its column, keys sorted.
struct MetadataColumn {
    static func text(_ metadata: Metadata) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(metadata), as: UTF8.self)
    }

    static func decode(_ text: String) throws -> Metadata {
        try JSONDecoder().decode(Metadata.self, from: Data(text.utf8))
    }
}

/// Metadata as the rows of its index.
enum MetadataField {
    /// The sightings of a gallery of which, or of whose identity, a key fulfils a condition. O(log gallery + found).
    static func sightings(
        _ key: String, _ condition: MetadataCondition, _ gallery: Int64, _ db: any SQLSession
    ) throws -> Set<Int64> {
        Set(try db.rows(selection(key, condition, gallery, db.dialect)).map { $0[0] })
    }

    /// Selects them.
    static func selection(
        _ key: String, _ condition: MetadataCondition, _ gallery: Int64, _ dialect: SQLDialect
    ) -> SQLFragment {
        let holds = sql(condition, dialect)
        return """
            SELECT sighting_id FROM sighting_field WHERE gallery_id = \(gallery) AND key = \(key) AND \(part: holds)
            UNION ALL
            SELECT m.id FROM identity_field f CROSS JOIN sighting m
                ON m.gallery_id = \(gallery) AND m.identity_id = f.identity_id
            WHERE f.gallery_id = \(gallery) AND f.key = \(key) AND \(part: holds)
            """
    }

    /// Whether a key of the sighting `s`, or of its identity, fulfils a condition: for one after the other, by their own rows.
    static func test(_ key: String, _ condition: MetadataCondition, _ dialect: SQLDialect) -> SQLFragment {
        let tests = ["sighting": "s.id", "identity": "s.identity_id"].sorted { $0.key > $1.key }.map { owner, row in
            """
            EXISTS (SELECT 1 FROM \(sql: owner)_field f
                WHERE f.\(sql: owner)_id = \(sql: row) AND f.key = \(key) AND \(part: sql(condition, dialect)) OFFSET 0)
            """ as SQLFragment
        }
        return "(\(part: tests.joined(separator: " OR ")))"
    }

    private static func sql(_ condition: MetadataCondition, _ dialect: SQLDialect) -> SQLFragment {
        switch condition {
        case .anyOf(let values):
            let parts = Dictionary(grouping: values) { column(of: $0, dialect) }.sorted { $0.key < $1.key }
                .map { "\(sql: $0) IN \(anyOf: $1.map { argument($0, dialect) })" as SQLFragment }
            return "(\(part: parts.joined(separator: " OR ")))"
        case .range(let range):
            let bounds = [
                range.lower.map { bound($0, range.includesLower ? ">=" : ">", dialect) },
                range.upper.map { bound($0, range.includesUpper ? "<=" : "<", dialect) },
                dialect == .sqlite ? end(range) : nil,
            ]
            return bounds.compactMap { $0 }.joined(separator: " AND ")
        }
    }

    private static func bound(_ value: MetadataValue, _ comparison: String, _ dialect: SQLDialect) -> SQLFragment {
        "\(sql: column(of: value, dialect)) \(sql: comparison) \(argument(value, dialect))"
    }

    /// Where another type begins: SQLite orders numbers before texts, and these before byte strings.
    private static func end(_ range: MetadataRange) -> SQLFragment? {
        switch (range.lower, range.upper) {
        case (.number?, nil): "value < ''"
        case (.string?, nil): "value < x''"
        case (nil, .string?): "value >= ''"
        default: nil
        }
    }

    /// SQLite's column takes values of any type; elsewhere each type has one, which is NULL for the others.
    private static func column(of value: MetadataValue, _ dialect: SQLDialect) -> String {
        switch (dialect, value) {
        case (.sqlite, _): "value"
        case (.postgresql, .string): "text_value"
        case (.postgresql, .number): "number_value"
        case (.postgresql, .bool): "truth_value"
        }
    }

    private static func argument(_ value: MetadataValue, _ dialect: SQLDialect) -> SQLValue {
        switch value {
        case .string(let text): .text(text)
        case .number(let number): .real(number)
        case .bool(let truth): dialect == .sqlite ? .blob(Data([truth ? 1 : 0])) : truth.sqlValue
        }
    }
}
