import Foundation
import Inference
import Tensor

/// Moves what is large in a few channels of a linear layer's inputs into its weights, where they follow a layer norm: the norm's
/// scale and shift are divided by a number for each channel, the weights multiplied with it (SmoothQuant: Xiao et al., 2023,
/// eq. 4, α = 1/2). In float32 nothing changes; in int8 a token's other channels keep more of their 8 bits.
///
/// How large a channel becomes is taken from the norm itself, not from data: what is normalised seldom leaves ±4.
struct ChannelBalance {
    /// A norm's and a layer's paths in a transformer's block, under the block's own.
    private static let pairs = [("norm1", "attn.qkv.weight"), ("norm2", "mlp.fc1.weight")]
    private static let reach: Float = 4
    /// Of a channel's size, so that neither factor of a channel that is never used becomes infinite.
    private static let least: Float = 1e-6

    /// Weights that stand for the same model, and how many layers are balanced in them. O(weights).
    static func balanced(_ weights: Weights) -> (weights: Weights, layers: Int) {
        var (result, layers) = (weights, 0)
        for path in weights.paths {
            for (norm, layer) in pairs where path.hasSuffix("." + layer) {
                let block = path.dropLast(layer.count)
                if balance(&result, path, "\(block)\(norm)") { layers += 1 }
            }
        }
        return (result, layers)
    }

    private static func balance(_ weights: inout Weights, _ path: String, _ norm: String) -> Bool {
        guard let weight = weights[path], let scale = weights[norm + ".weight"], let shift = weights[norm + ".bias"],
            weight.shape.rank == 2, scale.shape == [weight.shape[1]], shift.shape == scale.shape
        else { return false }
        let inputs = zip(scale.scalars, shift.scalars).map { max(reach * abs($0) + abs($1), least) }
        let factors = Tensor(
            zip(inputs, columnMaxima(weight)).map { ($0 / max($1, least)).squareRoot() }, shape: scale.shape)
        let inverse = Tensor(factors.scalars.map { 1 / $0 }, shape: scale.shape)
        weights[path] = weight * factors
        weights[norm + ".weight"] = scale * inverse
        weights[norm + ".bias"] = shift * inverse
        return true
    }

    /// The largest size of each input's weights.
    private static func columnMaxima(_ weight: Tensor) -> [Float] {
        let inputs = weight.shape[1]
        return weight.withUnsafeScalars { scalars in
            scalars.enumerated().reduce(into: [Float](repeating: 0, count: inputs)) { maxima, element in
                maxima[element.offset % inputs] = max(maxima[element.offset % inputs], abs(element.element))
            }
        }
    }
}
