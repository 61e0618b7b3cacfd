import Tensor

/// Fits learned position embeddings to another grid of patches, so that weights trained at one image size start another.
public enum PositionEmbedding {
    /// How positions between patches are found: as PyTorch's `interpolate` does, with half-pixel centres and no antialiasing.
    public enum Interpolation: String, CaseIterable, Sendable {
        /// Keys' cubic convolution with a = -0.75: what timm and DINOv2 take.
        case bicubic
        /// A triangle: what the toolboxes of re-identification take (TransReID, He et al., 2021).
        case bilinear

        /// The weight of a patch so many patches away.
        fileprivate func weight(_ distance: Double) -> Double {
            switch self {
            case .bilinear: return max(1 - distance, 0)
            case .bicubic:
                let a = -0.75
                if distance <= 1 { return ((a + 2) * distance - (a + 3)) * distance * distance + 1 }
                return distance < 2 ? ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a : 0
            }
        }
    }

    /// Resamples the patches' positions, and keeps those of the prefix tokens.
    ///
    /// - Parameters:
    ///   - positions: [1, prefix + rows·columns, D].
    ///   - prefix: how many tokens come before the patches'.
    ///   - old: the grid of `positions`.
    ///   - new: the grid wanted.
    ///   - interpolation: between the patches of `old`.
    /// - Returns: [1, prefix + new.rows·new.columns, D].
    public static func resized(
        _ positions: Tensor, prefix: Int, from old: (rows: Int, columns: Int), to new: (rows: Int, columns: Int),
        _ interpolation: Interpolation = .bicubic
    ) -> Tensor {
        let width = positions.shape[2]
        precondition(positions.shape[1] == prefix + old.rows * old.columns, "positions of another grid than \(old)")
        let head = positions.sliced(axis: 1, 0..<prefix)
        let body = positions.sliced(axis: 1, prefix..<positions.shape[1])
        // Separable: a matrix of weights for each axis.
        let vertical = resampling(from: old.rows, to: new.rows, interpolation)
            .matmul(body.reshaped([old.rows, old.columns * width]))
            .reshaped([new.rows, old.columns, width])
        let horizontal = resampling(from: old.columns, to: new.columns, interpolation)
            .matmul(vertical.transposed([1, 0, 2]).reshaped([old.columns, new.rows * width]))
            .reshaped([new.columns, new.rows, width]).transposed([1, 0, 2])
        return Tensor.concatenated([head, horizontal.reshaped([1, new.rows * new.columns, width])], axis: 1)
    }

    /// The [new, old] matrix of weights along one axis; indices past the edge take its value.
    private static func resampling(from old: Int, to new: Int, _ interpolation: Interpolation) -> Tensor {
        var scalars = [Float](repeating: 0, count: new * old)
        for row in 0..<new {
            let centre = (Double(row) + 0.5) * Double(old) / Double(new) - 0.5
            let base = Int(centre.rounded(.down))
            for tap in (base - 1)...(base + 2) {
                let column = min(max(tap, 0), old - 1)
                scalars[row * old + column] += Float(interpolation.weight(abs(centre - Double(tap))))
            }
        }
        return Tensor(scalars, shape: [new, old])
    }
}
