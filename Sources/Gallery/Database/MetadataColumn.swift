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

    /// A condition that one of the JSON columns has the value, and its arguments. JSON's true and 1 are different
    /// values, SQL's are not, so the type is compared too.
    static func condition(_ key: String, _ value: MetadataValue, columns: [String]) -> SQL {
        let alternatives: [SQL] = columns.map { column in
            let each: SQL = "EXISTS (SELECT 1 FROM json_each(\(sql: column)) j WHERE j.key = \(key) AND "
            return each + isEqual(value) + ")"
        }
        return "(" + alternatives.joined(separator: " OR ") + ")"
    }

    private static func isEqual(_ value: MetadataValue) -> SQL {
        switch value {
        case .string(let text): "j.type = 'text' AND j.atom = \(text)"
        case .number(let number): "j.type IN ('integer', 'real') AND j.atom = \(number)"
        case .bool(let truth): "j.type = \(truth ? "true" : "false")"
        }
    }
}
