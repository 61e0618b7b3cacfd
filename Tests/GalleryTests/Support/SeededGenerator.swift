import Foundation

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers in every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }

    /// Roughly normal: the sum of twelve uniform numbers, less six.
    mutating func normal() -> Float {
        (0..<12).reduce(-6) { sum, _ in sum + Float.random(in: 0..<1, using: &self) }
    }

    mutating func unitVector(_ dimension: Int) -> [Float] {
        normalised((0..<dimension).map { _ in normal() })
    }

    /// A unit vector near another.
    mutating func vector(near centre: [Float], spread: Float) -> [Float] {
        normalised(centre.map { $0 + spread * normal() / Float(centre.count).squareRoot() })
    }
}

func normalised(_ vector: [Float]) -> [Float] {
    let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return vector.map { $0 / norm }
}

/// Little-endian float32.
func bytes(_ vector: [Float]) -> Data {
    vector.reduce(into: Data()) { data, value in
        withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
    }
}
