import Foundation
import Inference
import Tensor
import Testing
import Threads

@Suite("Narrow encoders")
struct NarrowEncoderTests {
    /// Of Fixtures/make_narrow.py.
    private let checkpoint: Checkpoint
    private let weights: Weights

    init() throws {
        let file = try #require(
            Bundle.module.url(forResource: "narrow", withExtension: "safetensors", subdirectory: "Fixtures"))
        checkpoint = try Checkpoint.load(path: file.path)
        weights = checkpoint.weights.under("weights")
    }

    private func tensor(_ name: String) throws -> Tensor { try #require(checkpoint.weights[name]) }

    private func images() throws -> [Modality: Tensor] {
        try Dictionary(
            uniqueKeysWithValues: checkpoint.configuration.modalities.map {
                ($0, try tensor("input.\($0.rawValue)").transposed([0, 2, 3, 1]))
            })
    }

    private func encoder(_ precision: Precision, format: WeightFormat = .float32) throws -> MultimodalEncoder {
        var weights = weights
        weights.narrow(try checkpoint.configuration.narrowableWeights(in: weights), to: precision)
        return try MultimodalEncoder(
            configuration: checkpoint.configuration, weights: weights, model: "m", format: format)
    }

    @Test("what can be narrow are the linear layers of the blocks")
    func narrowable() throws {
        let paths = try checkpoint.configuration.narrowableWeights(in: weights)
        let layers = ["attn.proj", "attn.qkv", "mlp.fc1", "mlp.fc2"]
        let expected = ["nir", "rgb"].flatMap { modality in
            [0, 1].flatMap { block in layers.map { "encoders.\(modality).blocks.\(block).\($0).weight" } }
        }
        #expect(paths == expected)
    }

    @Test(
        "embeddings are those of the same arithmetic done in NumPy",
        // A sum that ends on the other side of a half moves a code by one.
        arguments: [(Precision.float32, 3e-6), (.int8, 2e-3), (.bfloat16, 2e-3)] as [(Precision, Float)])
    func parity(precision: Precision, tolerance: Float) throws {
        let found = try encoder(precision).embed(batch: images())
        expectClose(
            found, try tensor("embedding.\(precision.rawValue)"), relative: tolerance, precision.rawValue)
    }

    @Test(
        "an embedding has the same bits alone, in a batch, and with any number of threads",
        arguments: [Precision.int8, .bfloat16])
    func independence(precision: Precision) async throws {
        let encoder = try encoder(precision)
        let images = try images()
        let together = try encoder.embed(batch: images)
        for row in 0..<3 {
            let alone = try encoder.embed(batch: images.mapValues { $0.sliced(axis: 0, row..<(row + 1)) })
            #expect(alone.scalars == together.sliced(axis: 0, row..<(row + 1)).scalars)
        }
        for threads in [1, 2, 5] as [Int32] {
            let found = try await ComputeThread(name: "narrow test").run {
                let symbol = try #require(dlsym(nil, "omp_set_num_threads"))
                unsafeBitCast(symbol, to: (@convention(c) (Int32) -> Void).self)(threads)
                return try encoder.embed(batch: images).scalars
            }
            #expect(found == together.scalars, "\(threads) threads")
        }
    }

    /// MixER on a thin ResNet-18 of random weights that keep maps about as large as they are, made narrow, and six images of each
    /// modality: more than go through a narrow network at once.
    private func convolutional(_ precision: Precision) throws -> (
        encoder: MultimodalEncoder, images: [Modality: Tensor]
    ) {
        var configuration = ModelConfiguration(
            system: .mixer(), modalities: [.rgb, .nir],
            backbone: .resnet(.init(depth: 18, innerWidths: [[Int]](repeating: [32], count: 8))),
            input: .init(height: 64, width: 32, mean: [:], std: [:]))
        configuration.identities = 3
        var (seed, weights) = (0, try Weights.zeros(for: configuration))
        for path in weights.paths {
            guard let shape = weights.shape(of: path) else { continue }
            seed += 1
            let isNorm = shape.rank == 1 && !path.hasSuffix("bias") && !path.hasSuffix("mean")
            let scale = shape.rank == 1 ? 0.1 : (6 * Float(shape[0]) / Float(shape.count)).squareRoot()
            weights[path] = random(shape, seed: seed, scale: scale, around: isNorm ? 0.8 : 0)
        }
        weights.narrow(try configuration.narrowableWeights(in: weights), to: precision)
        let encoder = try MultimodalEncoder(configuration: configuration, weights: weights, model: "m")
        let images = Dictionary(
            uniqueKeysWithValues: configuration.modalities.enumerated().map {
                ($1, random([6, 64, 32, 3], seed: 1000 + $0, scale: 1, around: 0))
            })
        return (encoder, images)
    }

    /// From a linear congruential generator: uniform within `scale` of a number.
    private func random(_ shape: Shape, seed: Int, scale: Float, around middle: Float) -> Tensor {
        Tensor(shape: shape) { scalars in
            var state = UInt64(seed)
            for index in scalars.indices {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                scalars[index] = middle + scale * (Float(state >> 40) / Float(1 << 23) - 1)
            }
        }
    }

    @Test(
        "embeddings of a narrow ResNet are near float32's, with the same bits alone, in a batch, and with any number of threads",
        arguments: [(Precision.int8, 0.03), (.bfloat16, 0.01)] as [(Precision, Float)])
    func residualNetworks(precision: Precision, tolerance: Float) async throws {
        let (encoder, images) = try convolutional(precision)
        let together = try encoder.embed(batch: images)
        let plain = try convolutional(.float32).encoder.embed(batch: images)
        expectClose(together, plain, relative: tolerance, precision.rawValue)
        #expect(together.scalars != plain.scalars)
        for row in [0, 3, 5] {
            let alone = try encoder.embed(batch: images.mapValues { $0.sliced(axis: 0, row..<(row + 1)) })
            #expect(alone.scalars == together.sliced(axis: 0, row..<(row + 1)).scalars)
        }
        for threads in [1, 3] as [Int32] {
            let found = try await ComputeThread(name: "narrow test").run {
                let symbol = try #require(dlsym(nil, "omp_set_num_threads"))
                unsafeBitCast(symbol, to: (@convention(c) (Int32) -> Void).self)(threads)
                return try encoder.embed(batch: images).scalars
            }
            #expect(found == together.scalars, "\(threads) threads")
        }
    }

    @Test("a float32 model can be computed in bfloat16, near the same model rounded before")
    func computed() throws {
        let images = try images()
        let found = try encoder(.float32, format: .bfloat16).embed(batch: images)
        // Weights are rounded in either case.
        #expect(found.scalars == (try encoder(.bfloat16).embed(batch: images)).scalars)
        #expect(found.scalars != (try encoder(.float32).embed(batch: images)).scalars)
    }

    @Test(
        "gradients of fine-tuning go straight through what is rounded, as PyTorch's do",
        arguments: [Precision.int8, .bfloat16])
    func straightThrough(precision: Precision) throws {
        var weights = weights
        weights.narrow(try checkpoint.configuration.narrowableWeights(in: weights), to: precision)
        let system = try checkpoint.configuration.makeSystem(ParameterScope(weights, mode: .tuning))
        let embedding = system.embed(try images()).normalizedRows()
        let cosines = (embedding * (try tensor("target").normalizedRows())).sum(axis: 1)
        let found = gradients(of: cosines.mean().scaled(by: -1))
        let prefix = "gradient.\(precision.rawValue)."
        let paths = checkpoint.weights.paths.filter { $0.hasPrefix(prefix) }
        #expect(paths.count == 6)
        for path in paths {
            let gradient = try #require(found[String(path.dropFirst(prefix.count))])
            expectClose(gradient, try tensor(path), relative: 5e-3, path)
        }
    }

    @Test("the self-test of a narrow model is what it answers itself, and another's is refused")
    func selfTest() throws {
        var weights = weights
        weights.narrow(try checkpoint.configuration.narrowableWeights(in: weights), to: .int8)
        let recorded = try SelfTest.recorded(in: checkpoint.configuration, weights: weights)
        let encoder = { (weights: Weights) in
            try MultimodalEncoder(configuration: recorded, weights: weights, model: "m")
        }
        #expect(try SelfTest.check(encoder(weights)) != nil)
        weights["encoders.rgb.norm.weight"] = weights["encoders.rgb.norm.weight"]?.scaled(by: -1)
        let failure = try #require(throws: SelfTest.Failure.self) { try SelfTest.check(encoder(weights)) }
        #expect("\(failure)".contains("computed in int8, differs"))
    }
}
