import Foundation

/// Vectors of half-precision numbers, as pgvector takes them.
enum HalfVector {
    /// Its binary form (`halfvec_recv`): the number of elements, a zero, and each element, most significant byte first.
    static func bytes(_ vector: [Float]) -> Data {
        var data = Data(capacity: 4 + 2 * vector.count)
        func add(_ bits: UInt16) { withUnsafeBytes(of: bits.bigEndian) { data.append(contentsOf: $0) } }
        add(UInt16(vector.count))
        add(0)
        for value in vector { add(Float16(value).bitPattern) }
        return data
    }

    /// How far the inner product of two such vectors of unit length may be from that of what they were made from.
    ///
    /// Rounding to eleven bits moves a vector by no more than 2⁻¹¹ of its length, and either may be moved; elements below 2⁻¹⁴ are
    /// moved by up to 2⁻²⁵ each. pgvector adds in float32, each step no more than 2⁻²⁴ of the sum off.
    static func slack(_ dimension: Int) -> Float {
        let moved = 0x1p-11 + Double(dimension).squareRoot() * 0x1p-25
        return Float((2 * moved + Double(dimension) * 0x1p-24) * 1.01)
    }
}
