import CPQ
import Foundation

/// Answers in PostgreSQL's binary form.
enum PostgreSQLRow {
    static func columns(_ result: OpaquePointer) -> [String] {
        (0..<PQnfields(result)).map { PQfname(result, $0).map { String(cString: $0) } ?? "" }
    }

    static func row(_ result: OpaquePointer, _ row: Int32, columns: [String]) throws -> SQLRow {
        SQLRow(
            columns: columns, values: try columns.indices.map { try value(result, row, Int32($0)) })
    }

    private static func value(_ result: OpaquePointer, _ row: Int32, _ column: Int32) throws -> SQLValue {
        if PQgetisnull(result, row, column) == 1 { return .null }
        let bytes = UnsafeRawBufferPointer(
            start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column)))
        // The types' numbers are PostgreSQL's for ever (pg_type.dat).
        switch PQftype(result, column) {
        case 16: return .integer(integer(bytes, UInt8.self) == 0 ? 0 : 1)
        case 17: return .blob(Data(bytes))
        case 20: return .integer(integer(bytes, Int64.self))
        case 21: return .integer(Int64(integer(bytes, Int16.self)))
        case 23: return .integer(Int64(integer(bytes, Int32.self)))
        case 700: return .real(Double(Float(bitPattern: integer(bytes, UInt32.self))))
        case 701: return .real(Double(bitPattern: integer(bytes, UInt64.self)))
        case 1700: return .integer(numeric(bytes))
        case 19, 25, 114, 705, 1042, 1043: return .text(String(decoding: bytes, as: UTF8.self))
        case 2278: return .null
        case let type: throw GalleryError.storage("an answer of a type that is not read here: \(type)")
        }
    }

    /// In the network's order.
    private static func integer<T: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, _ type: T.Type) -> T {
        T(bigEndian: bytes.loadUnaligned(as: T.self))
    }

    /// A sum of integers: groups of four digits, of which the first counts by a weight (numeric_send).
    private static func numeric(_ bytes: UnsafeRawBufferPointer) -> Int64 {
        let part = { (offset: Int) in
            Int64(Int16(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int16.self)))
        }
        let (count, weight, isNegative) = (part(0), part(2), part(4) == 0x4000)
        guard weight >= 0 else { return 0 }
        let magnitude = (0...weight).reduce(Int64(0)) { $0 * 10_000 + ($1 < count ? part(8 + 2 * Int($1)) : 0) }
        return isNegative ? -magnitude : magnitude
    }
}
