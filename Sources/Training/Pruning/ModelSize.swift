import Inference
import Tensor

/// What a model weighs. What only training needs is not counted.
public struct ModelSize: Sendable, Codable, Equatable {
    /// Weights that are not zero.
    public let parameters: Int
    /// Those of the backbone.
    public let backboneParameters: Int
    /// Bytes of all weights as an encoder holds them: zeros take their place.
    public let memoryBytes: Int
    /// Multiply-adds of the backbone for one image; zeros are multiplied too.
    public let multiplyAdds: Int

    private enum CodingKeys: String, CodingKey {
        case parameters
        case backboneParameters = "backbone_parameters"
        case memoryBytes = "memory_bytes"
        case multiplyAdds = "multiply_adds"
    }

    /// Weighs a model. Throws what building it throws.
    public init(_ configuration: ModelConfiguration, _ weights: Weights) throws {
        let recorder = WeightsRecorder()
        _ = try configuration.makeSystem(ParameterScope(weights.recorded(by: recorder), mode: .inference))
        let unread = Set(recorder.unread(of: weights))
        let serving = weights.paths.filter { !unread.contains($0) }
        let nonzeros = Dictionary(
            uniqueKeysWithValues: serving.map { path in
                (path, weights[path]?.withUnsafeScalars { $0.count { $0 != 0 } } ?? 0)
            })
        parameters = nonzeros.values.reduce(0, +)
        backboneParameters = nonzeros.filter { configuration.isOfBackbone($0.key) }.values.reduce(0, +)
        memoryBytes = serving.reduce(0) { sum, path in
            sum + (weights.shape(of: path)?.count ?? 0) * (weights.formats[path] ?? .float32).precision.bytes
        }
        multiplyAdds = configuration.backboneMultiplyAdds
    }
}
