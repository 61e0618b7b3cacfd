import Inference
import Randomness
import Synchronization
import Tensor

/// Tensors that the reference draws alike (Tests/Reference/golden.py), from their names.
enum SeededTensors {
    private static func generator(_ name: String) -> SplitMix64 {
        let key = name.utf8.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
        return SplitMix64(seed: 17, stream: key)
    }

    private static func uniform(_ name: String, _ shape: Shape, _ low: Float, _ high: Float) -> Tensor {
        var generator = generator(name)
        return Tensor(shape: shape) { elements in
            for i in elements.indices { elements[i] = low + (high - low) * generator.unit() }
        }
    }

    static func draw(_ name: String, _ shape: Shape) -> Tensor {
        let last = name.split(separator: ".").last ?? ""
        if last == "running_var" || last == "weight" && shape.rank == 1 { return uniform(name, shape, 0.5, 1.5) }
        if name.contains("neck"), last == "bias" { return .zeros(shape) }
        if last == "running_mean" { return uniform(name, shape, -0.2, 0.2) }
        if shape.rank == 1 || last.hasSuffix("_token") || last.hasSuffix("pos_embed") {
            return uniform(name, shape, -0.05, 0.05)
        }
        if ["text_embed", "input", "centers"].contains(where: name.hasPrefix) {
            return uniform(name, shape, -1.5, 1.5)
        }
        let bound = Float((3 / Double(shape.count / shape[0])).squareRoot())
        return uniform(name, shape, -bound, bound)
    }

    /// The norm, and the products with three vectors of signs.
    static func summary(_ name: String, _ tensor: Tensor) -> [Double] {
        let scalars = tensor.scalars
        let products = (0..<3).map { k in
            var generator = generator("sign \(k) \(name)")
            return scalars.reduce(0.0) { $0 + (generator.next() >> 63 == 1 ? Double($1) : -Double($1)) }
        }
        return [scalars.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()] + products
    }
}

extension SeededTensors {
    /// All weights of a system, and eight triples that it is tried on, standardised.
    ///
    /// - Parameter salt: which input.
    static func model(
        _ configuration: ModelConfiguration, input salt: Int
    ) throws -> (weights: Weights, images: [Modality: Tensor]) {
        let drawn = Mutex(Weights())
        let scope = ParameterScope(mode: .training(dropout: nil)) { path, shape in
            let tensor = draw(path, shape)
            drawn.withLock { $0[path] = tensor }
            return tensor
        }
        _ = try configuration.makeSystem(scope)
        let (height, width) = (configuration.input.height, configuration.input.width)
        let images = configuration.modalities.map { modality in
            let noise = draw("input\(salt).\(modality.rawValue)", [8, 3, height, width]).transposed([0, 2, 3, 1])
            let colour = draw("input\(salt).colour.\(modality.rawValue)", [8, 3])
            return (modality, noise + colour.repeated(height * width, axis: 1).reshaped([8, height, width, 3]))
        }
        return (drawn.withLock { $0 }, Dictionary(uniqueKeysWithValues: images))
    }
}
