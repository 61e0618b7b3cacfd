import CPQ
import Foundation

/// A row of an answer in PostgreSQL's binary form.
struct PostgreSQLRow: SQLCells {
    private let result: OpaquePointer
    private let row: Int32

    /// Requires an answer whose columns were asked for before, and its lifetime.
    init(_ result: OpaquePointer, _ row: Int32) { (self.result, self.row) = (result, row) }

    /// Their names. Throws `GalleryError.storage` for one of a type that is not read here.
    static func columns(_ result: OpaquePointer) throws -> [String] {
        try (0..<PQnfields(result)).map { column in
            let type = PQftype(result, column)
            guard types.contains(type) else {
                throw GalleryError.storage("an answer of a type that is not read here: \(type)")
            }
            return PQfname(result, column).map { String(cString: $0) } ?? ""
        }
    }

    func isNull(_ column: Int) -> Bool { PQgetisnull(result, row, Int32(column)) == 1 }

    func value(_ column: Int) -> SQLValue {
        if isNull(column) { return .null }
        let bytes = UnsafeRawBufferPointer(
            start: PQgetvalue(result, row, Int32(column)), count: Int(PQgetlength(result, row, Int32(column))))
        switch PQftype(result, Int32(column)) {
        case 16: return .integer(Self.integer(bytes, UInt8.self) == 0 ? 0 : 1)
        case 17: return .blob(Data(bytes))
        case 20: return .integer(Self.integer(bytes, Int64.self))
        case 21: return .integer(Int64(Self.integer(bytes, Int16.self)))
        case 23: return .integer(Int64(Self.integer(bytes, Int32.self)))
        case 700: return .real(Double(Float(bitPattern: Self.integer(bytes, UInt32.self))))
        case 701: return .real(Double(bitPattern: Self.integer(bytes, UInt64.self)))
        case 1700: return .integer(Self.numeric(bytes))
        case 2278: return .null
        default: return .text(String(decoding: bytes, as: UTF8.self))
        }
    }

    /// The types' numbers are PostgreSQL's for ever (pg_type.dat).
    private static let types: Set<Oid> = [
        16, 17, 19, 20, 21, 23, 25, 114, 700, 701, 705, 1042, 1043, 1700, 2278,
    ]

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
