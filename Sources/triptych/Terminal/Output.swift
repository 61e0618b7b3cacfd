import Documents
import Foundation
import Inference
import Training
import TriptychClient

/// What commands print: results on standard output, as text or JSON.
enum Output {
    /// Prints a value as pretty JSON with sorted keys, snake_case.
    static func json(_ value: some Encodable) throws {
        print(String(decoding: try encoder().encode(value), as: UTF8.self))
    }

    /// Sorted keys, RFC 3339 times: as the API has them.
    private static func encoder() -> JSONEncoder {
        let encoder = Wire.encoder()
        encoder.keyEncodingStrategy = .custom { SnakeCaseKey($0.last?.stringValue ?? "") }
        encoder.outputFormatting.insert(.prettyPrinted)
        return encoder
    }

    /// A key in snake_case, but for what the field writes otherwise, and a run's logs as well.
    private struct SnakeCaseKey: CodingKey {
        private static let names: Set = ["mAP", "mINP"]
        let stringValue: String
        var intValue: Int? { nil }

        init(_ name: String) {
            stringValue =
                Self.names.contains(name)
                ? name : name.replacing(/([a-z0-9])([A-Z])/) { "\($0.1)_\($0.2)" }.lowercased()
        }

        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }

    /// Prints a value as one line of JSON.
    static func line(_ value: some Encodable) throws {
        print(String(decoding: try Wire.encoder().encode(value), as: UTF8.self))
    }

    /// A value in one line of JSON.
    static func text(_ value: JSONValue) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Prints rows in columns: the first left-aligned, the others right-aligned. The first row is the heading.
    static func table(_ rows: [[String]]) {
        guard let heading = rows.first else { return }
        let widths = heading.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        for (index, row) in rows.enumerated() {
            let cells = row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + padding : padding + cell
            }
            print(cells.joined(separator: "  "))
            if index == 0 { print(widths.map { String(repeating: "-", count: $0) }.joined(separator: "  ")) }
        }
    }

    /// Prints rows of words in columns, all left-aligned. The first row is the heading.
    static func columns(_ rows: [[String]]) {
        guard let heading = rows.first else { return }
        let widths = heading.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        for row in [heading, widths.map { String(repeating: "-", count: $0) }] + rows.dropFirst() {
            var line = ""
            for (cell, width) in zip(row, widths) {
                line += cell + String(repeating: " ", count: width - cell.count + 2)
            }
            while line.hasSuffix(" ") { line.removeLast() }
            print(line)
        }
    }
}

extension Output {
    /// Prints metrics, a row a name, in percent, and what was skipped.
    static func metrics(_ rows: [(name: String, metrics: RetrievalMetrics)]) {
        let percent = { (value: Double) in String(format: "%.1f", value * 100) }
        table(
            [["", "mAP", "Rank-1", "Rank-5", "Rank-10", "mINP"]]
                + rows.map { name, m in [name] + [m.mAP, m.rank1, m.rank5, m.rank10, m.mINP].map(percent) })
        if let first = rows.first?.metrics {
            print("\(first.queries) queries, \(first.skipped) skipped because the gallery holds nothing to find")
        }
    }
}
