import Tensor
import Testing

/// Deterministic test data: a smooth, aperiodic sequence in (-1, 1).
func sample(_ shape: Shape, seed: Int = 0, scale: Float = 1) -> Tensor {
    var state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 &+ 0x2545_F491_4F6C_DD1D
    let values = (0..<shape.count).map { _ -> Float in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return scale * (Float(state >> 40) / Float(1 << 23) - 1)
    }
    return Tensor(values, shape: shape)
}

/// Compares the tape's gradients with central differences, through a fixed random projection of the result.
///
/// - Parameters:
///   - tolerance: of the difference, relative to the largest gradient of that argument (at least 1).
///   - step: small enough for the curvature, large enough for float32.
func checkGradients(
    _ arguments: [Tensor], step: Float = 1e-2, tolerance: Float = 2e-3,
    sourceLocation: SourceLocation = #_sourceLocation, of function: ([Tensor]) -> Tensor
) {
    let tracked = arguments.enumerated().map { $1.tracked(as: "\($0)") }
    let result = function(tracked)
    #expect(result.isTracked, sourceLocation: sourceLocation)
    let projection = sample(result.shape, seed: 99)
    let found = gradients(of: (result * projection).sum())
    for (index, argument) in arguments.enumerated() {
        guard let gradient = found["\(index)"] else {
            Issue.record("no gradient for argument \(index)", sourceLocation: sourceLocation)
            continue
        }
        #expect(gradient.shape == argument.shape, sourceLocation: sourceLocation)
        let numeric = argument.scalars.indices.map { i -> Float in
            func at(_ offset: Float) -> Float {
                var scalars = argument.scalars
                scalars[i] += offset
                var changed = arguments
                changed[index] = Tensor(scalars, shape: argument.shape)
                return (function(changed) * projection).sum().scalar
            }
            return (at(step) - at(-step)) / (2 * step)
        }
        let bound = tolerance * max(1, numeric.map(abs).max() ?? 1)
        for (i, (analytic, expected)) in zip(gradient.scalars, numeric).enumerated() {
            #expect(
                abs(analytic - expected) <= bound, "argument \(index), element \(i): \(analytic), expected \(expected)",
                sourceLocation: sourceLocation)
        }
    }
}

/// Elementwise agreement within an absolute tolerance.
func expectClose(
    _ found: Tensor, _ expected: [Float], _ tolerance: Float = 1e-5,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(found.count == expected.count, sourceLocation: sourceLocation)
    for (i, (a, b)) in zip(found.scalars, expected).enumerated() {
        #expect(abs(a - b) <= tolerance, "element \(i): \(a), expected \(b)", sourceLocation: sourceLocation)
    }
}
