import Inference
import Tensor
import Testing

@Suite("Texts")
struct TextTests {
    private func encoder(_ system: ModelConfiguration.System) throws -> MultimodalEncoder {
        let configuration = ModelConfiguration(
            system: system, modalities: [.rgb], backbone: .vit(.init(width: 8, depth: 1, heads: 2, patch: 8)),
            input: .init(height: 16, width: 16, mean: [.rgb: [0, 0, 0]], std: [.rgb: [1, 1, 1]]), identities: 2)
        var weights = Weights()
        let shapes = ShapeRecorder()
        _ = try configuration.makeSystem(
            ParameterScope(mode: .training(dropout: nil, statistics: nil)) { shapes.record($0, $1) })
        for (index, path) in shapes.weights.paths.enumerated() {
            guard let shape = shapes.weights[path]?.shape else { continue }
            weights[path] = Tensor((0..<shape.count).map { Float(($0 * 7 + index) % 11) / 11 - 0.4 }, shape: shape)
        }
        return try MultimodalEncoder(configuration: configuration, weights: weights, model: "m")
    }

    private var dmf: ModelConfiguration.System {
        .dmf(.init(text: .init(vocabulary: ["<pad>", "Man", "black", "coat"], width: 4, maxTokens: 2)))
    }

    @Test("words are found whatever their case and punctuation, unknown ones left out, and no more read than fit")
    func words() async throws {
        let encoder = try encoder(dmf)
        let plain = try await encoder.embed(text: "man black")
        #expect(plain.count == 8)
        #expect(try await encoder.embed(text: "A MAN, in Black!") == plain)
        #expect(try await encoder.embed(text: "man black coat") == plain)
        #expect(try await encoder.embed(text: "black man") != plain)
    }

    @Test("a text without a known word, and a model that reads none, say so")
    func refused() async throws {
        let reader = try encoder(dmf)
        await #expect(throws: EncoderError.unknownWords(text: "<pad> blue")) {
            try await reader.embed(text: "<pad> blue")
        }
        let blind = try encoder(.unicat)
        await #expect(throws: EncoderError.noText) { try await blind.embed(text: "man") }
    }
}
