import Tensor

/// Fits learned position embeddings to another grid of patches, so that weights trained at one image size start another.
public enum PositionEmbedding {
    /// Resamples the patches' positions bicubically (a = -0.75, half-pixel centres, no antialiasing: PyTorch's
    /// `interpolate`), and keeps those of the prefix tokens.
    ///
    /// - Parameters:
    ///   - positions: [1, prefix + rows·columns, D].
    ///   - prefix: how many tokens come before the patches'.
    ///   - old: the grid of `positions`.
    ///   - new: the grid wanted.
    /// - Returns: [1, prefix + new.rows·new.columns, D].
    public static func resized(
        _ positions: Tensor, prefix: Int, from old: (rows: Int, columns: Int), to new: (rows: Int, columns: Int)
    ) -> Tensor {
        let width = positions.shape[2]
        precondition(positions.shape[1] == prefix + old.rows * old.columns, "positions of another grid than \(old)")
        let head = positions.sliced(axis: 1, 0..<prefix)
        let body = positions.sliced(axis: 1, prefix..<positions.shape[1])
        // Separable: a matrix of weights for each axis.
        let vertical = resampling(from: old.rows, to: new.rows)
            .matmul(body.reshaped([old.rows, old.columns * width]))
            .reshaped([new.rows, old.columns, width])
        let horizontal = resampling(from: old.columns, to: new.columns)
            .matmul(vertical.transposed([1, 0, 2]).reshaped([old.columns, new.rows * width]))
            .reshaped([new.columns, new.rows, width]).transposed([1, 0, 2])
        return Tensor.concatenated([head, horizontal.reshaped([1, new.rows * new.columns, width])], axis: 1)
    }

    /// The [new, old] matrix of bicubic weights along one axis; indices past the edge take its value.
    private static func resampling(from old: Int, to new: Int) -> Tensor {
        var scalars = [Float](repeating: 0, count: new * old)
        for row in 0..<new {
            let centre = (Double(row) + 0.5) * Double(old) / Double(new) - 0.5
            let base = Int(centre.rounded(.down))
            for tap in (base - 1)...(base + 2) {
                let column = min(max(tap, 0), old - 1)
                scalars[row * old + column] += Float(cubic(abs(centre - Double(tap))))
            }
        }
        return Tensor(scalars, shape: [new, old])
    }

    /// Keys' cubic convolution kernel (1981).
    private static func cubic(_ x: Double) -> Double {
        let a = -0.75
        if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
    }
}
