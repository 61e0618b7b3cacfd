import Foundation
import GRDB

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
        _ key: String, _ condition: MetadataCondition, _ gallery: Int64, _ db: Database
    ) throws -> Set<Int64> {
        let holds = sql(condition)
        let request: SQL = """
            SELECT sighting_id FROM sighting_field WHERE gallery_id = \(gallery) AND key = \(key) AND \(holds)
            UNION ALL
            SELECT s.id FROM identity_field f CROSS JOIN sighting s
                ON s.gallery_id = \(gallery) AND s.identity_id = f.identity_id
            WHERE f.gallery_id = \(gallery) AND f.key = \(key) AND \(holds)
            """
        return try SQLRequest<Int64>(literal: request).fetchSet(db)
    }

    private static func sql(_ condition: MetadataCondition) -> SQL {
        switch condition {
        case .anyOf(let values): return "value IN \(values.map(column))"
        case .range(let range):
            let bounds = [
                range.lower.map { (range.includesLower ? "value >= " : "value > ") + "\(column($0))" as SQL },
                range.upper.map { (range.includesUpper ? "value <= " : "value < ") + "\(column($0))" as SQL },
                end(range),
            ]
            return bounds.compactMap { $0 }.joined(separator: " AND ")
        }
    }

    /// Where another type begins: SQLite orders numbers before texts, and these before byte strings.
    private static func end(_ range: MetadataRange) -> SQL? {
        switch (range.lower, range.upper) {
        case (.number?, nil): "value < ''"
        case (.string?, nil): "value < x''"
        case (nil, .string?): "value >= ''"
        default: nil
        }
    }

    private static func column(_ value: MetadataValue) -> DatabaseValue {
        switch value {
        case .string(let text): text.databaseValue
        case .number(let number): number.databaseValue
        case .bool(let truth): Data([truth ? 1 : 0]).databaseValue
        }
    }
}
