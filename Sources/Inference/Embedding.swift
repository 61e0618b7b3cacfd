import Tensor

/// A triple's place in a model's space.
public struct Embedding: Sendable, Equatable {
    /// A unit vector.
    public var values: [Float]
    /// The modalities it was made from, in `Modality`'s order.
    public var modalities: [Modality]

    /// An embedding as given.
    public init(values: [Float], modalities: [Modality]) {
        self.values = values
        self.modalities = modalities
    }
}

extension Embedding {
    /// Each row of [B, D] divided by its L2 norm (at least 1e-12).
    public static func normalised(_ rows: Tensor) -> [[Float]] {
        let width = rows.shape[1]
        let scalars = rows.scalars
        return (0..<rows.shape[0]).map { row in
            let values = scalars[(row * width)..<((row + 1) * width)]
            let norm = Float(values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot())
            return values.map { $0 / max(norm, 1e-12) }
        }
    }
}
