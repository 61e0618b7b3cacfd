import Foundation

/// A vector, the model that made it and the modalities it was made from.
public struct SightingEmbedding: Equatable, Sendable {
    /// The model's digest. Vectors of two models are never compared.
    public let model: String
    /// Names, sorted.
    public let modalities: [String]
    /// Scaled to unit length when stored or searched for.
    public let values: [Float]

    /// A vector of any length but zero.
    public init(model: String, modalities: [String], values: [Float]) {
        self.model = model
        self.modalities = modalities.sorted()
        self.values = values
    }

    /// As it was stored: its `modalityKey` and `blob`.
    init(model: String, modalityKey: String, blob: Data) {
        let values = blob.withUnsafeBytes { bytes in
            (0..<(bytes.count / 4)).map {
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
            }
        }
        self.init(model: model, modalities: modalityKey.split(separator: ",").map(String.init), values: values)
    }

    /// One string for a set of modalities.
    var modalityKey: String { modalities.joined(separator: ",") }

    /// The values at unit length. A vector that is of unit length already, to float32's precision, is left as it is, so
    /// that what an encoder normalised comes back bit for bit. Requires finite values that are not all zero.
    var unitValues: [Float] {
        let norm = values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        return abs(norm - 1) <= 1e-6 ? values : values.map { Float(Double($0) / norm) }
    }

    /// The unit vector as little-endian float32.
    var blob: Data {
        unitValues.reduce(into: Data(capacity: 4 * values.count)) { data, value in
            withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
        }
    }
}
