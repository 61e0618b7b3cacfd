import Foundation
import Import
import Inference
import Synchronization
import Tensor
import Testing

@Suite("Importing backbones")
struct BackboneImportTests {
    private func configuration(_ system: ModelConfiguration.System, distilled: Bool = false) -> ModelConfiguration {
        ModelConfiguration(
            system: system, modalities: [.rgb, .tir],
            backbone: .vit(.init(width: 8, depth: 2, heads: 2, patch: 8, distilled: distilled)),
            input: .init(
                height: 16, width: 24, mean: [.rgb: [0, 0, 0], .tir: [0, 0, 0]],
                std: [.rgb: [1, 1, 1], .tir: [1, 1, 1]]),
            identities: 2)
    }

    private func vit(blocks: Int = 2) -> [String: Tensor] {
        var tensors: [String: Tensor] = [
            "cls_token": Tensor(repeating: 1, shape: [1, 1, 8]), "pos_embed": Tensor(repeating: 2, shape: [1, 10, 8]),
            "patch_embed.proj.weight": Tensor(repeating: 3, shape: [8, 3, 8, 8]),
            "norm.weight": Tensor((0..<8).map(Float.init), shape: [8]),
            "head.weight": Tensor.zeros([5, 8]),
        ]
        for block in 0..<blocks {
            tensors["blocks.\(block).attn.proj.weight"] = Tensor(repeating: Float(block + 4), shape: [8, 8])
            tensors["blocks.\(block).attn.proj.bias"] = Tensor(repeating: 1, shape: [8])
        }
        return tensors
    }

    @Test("every modality's backbone gets the weights, positions fitted; what is left is said")
    func everyModality() throws {
        let configuration = configuration(.unicat)
        let found = BackboneImport(ForeignWeights(vit()), into: configuration, fresh: try .zeros(for: configuration))
        for modality in ["rgb", "tir"] {
            #expect(found.weights["encoders.\(modality).cls_token"]?.scalars == [Float](repeating: 1, count: 8))
            // Constant positions stay constant, whatever the grid.
            let positions = try #require(found.weights["encoders.\(modality).pos_embed"])
            #expect(positions.shape == [1, 7, 8] && positions.scalars.allSatisfy { abs($0 - 2) < 1e-5 })
        }
        #expect(found.adapted["pos_embed"]?.contains("3×3 to 2×3") == true)
        #expect(found.skipped["head.weight"]?.contains("classifier") == true)
        #expect(found.missing.contains("encoders.rgb.blocks.0.norm1.weight") && found.foundShare < 1)
        #expect(!found.missing.contains { $0.hasPrefix("neck") })
    }

    @Test("MixER's branches both get the last block and the norm")
    func branches() throws {
        let configuration = configuration(.mixer())
        let found = BackboneImport(ForeignWeights(vit()), into: configuration, fresh: try .zeros(for: configuration))
        for branch in ["erased", "related"] {
            #expect(found.weights["\(branch).block.attn.proj.weight"]?.scalars.first == 5)
            #expect(found.weights["\(branch).norm.weight"]?.scalars == (0..<8).map(Float.init))
        }
        #expect(found.weights["backbone.blocks.0.attn.proj.weight"]?.scalars.first == 4)
    }

    @Test("each of a modality's backbones gets the weights")
    func several() throws {
        var configuration = configuration(.fusionConcat)
        configuration.networks = 2
        let found = BackboneImport(ForeignWeights(vit()), into: configuration, fresh: try .zeros(for: configuration))
        for name in ["rgb.0", "rgb.1", "tir.0", "tir.1"] {
            #expect(found.weights["encoders.\(name).blocks.0.attn.proj.weight"]?.scalars.first == 4, "\(name)")
        }
    }

    @Test("LayerScale is folded into the layer before it")
    func layerScale() throws {
        let configuration = configuration(.unicat)
        var tensors = vit()
        tensors["blocks.1.ls1.gamma"] = Tensor((0..<8).map { Float($0) / 2 }, shape: [8])
        let found = BackboneImport(ForeignWeights(tensors), into: configuration, fresh: try .zeros(for: configuration))
        let weight = try #require(found.weights["encoders.tir.blocks.1.attn.proj.weight"]).scalars
        let column: [Float] = stride(from: 0, to: 64, by: 8).map { weight[$0] }
        #expect(column == [0, 2.5, 5, 7.5, 10, 12.5, 15, 17.5])
        #expect(found.weights["encoders.tir.blocks.1.attn.proj.bias"]?.scalars == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5])
        #expect(found.skipped["blocks.1.ls1.gamma"] == nil && found.unplaced.isEmpty)
    }

    @Test("positions are fitted bilinearly if asked to, as PyTorch fits them; the choice is reported")
    func bilinear() throws {
        let configuration = configuration(.unicat)
        let found = BackboneImport(
            ForeignWeights(vit()), into: configuration, fresh: try .zeros(for: configuration), positions: .bilinear)
        #expect(found.positions == .init(from: [3, 3], to: [2, 3], interpolation: .bilinear))
        #expect(found.adapted["pos_embed"]?.hasSuffix("bilinear") == true)
        let file = try #require(Bundle.module.resourceURL).appending(path: "Fixtures/Import/positions.safetensors").path
        let reference = try SafetensorsReader(path: file).tensors().tensors
        for (rows, columns) in [(4, 3), (6, 8)] {
            let fitted = PositionEmbedding.resized(
                try #require(reference["positions"]), prefix: 2, from: (3, 5), to: (rows, columns), .bilinear)
            expectClose(fitted, try #require(reference["bilinear.\(rows)x\(columns)"]), absolute: 1e-5, "\(rows)")
        }
    }

    @Test(
        "registers, side information and the like are left out with a word; positions without the class token's are fitted"
    )
    func spare() throws {
        let configuration = configuration(.unicat)
        var tensors = try complete(configuration)
        tensors["register_tokens"] = .zeros([1, 4, 8])
        tensors["mask_token"] = .zeros([1, 8])
        tensors["sie_embed"] = .zeros([6, 1, 8])
        tensors["blocks.2.attn.proj.weight"] = .zeros([8, 8])
        tensors["pos_embed"] = Tensor(repeating: 2, shape: [1, 16, 8])
        let found = BackboneImport(
            ForeignWeights(Dictionary(uniqueKeysWithValues: tensors.map { ("base.\($0)", $1) })), into: configuration,
            fresh: try .zeros(for: configuration))
        try found.check(least: 1, of: "transreid.pth")
        for (name, word) in [
            ("register_tokens", "registers"), ("mask_token", "hides"), ("sie_embed", "cameras"),
            ("blocks.2.attn.proj.weight", "2 blocks"),
        ] { #expect(found.skipped[name]?.contains(word) == true, "\(name)") }
        let positions = try #require(found.weights["encoders.rgb.pos_embed"]).scalars
        #expect(positions.prefix(8).allSatisfy { $0 == 0 } && positions.dropFirst(8).allSatisfy { abs($0 - 2) < 1e-5 })
    }

    @Test("another network is refused with the parts that are missing, however much of it has a name in common")
    func unrelated() throws {
        let resnet = { (depth: Int) in
            ModelConfiguration(
                system: .unicat, modalities: [.rgb, .tir], backbone: .resnet(.init(depth: depth)),
                input: self.configuration(.unicat).input, identities: 2)
        }
        let small = try complete(resnet(18))
        let found = BackboneImport(ForeignWeights(small), into: resnet(50), fresh: try .zeros(for: resnet(50)))
        #expect(found.foundShare < 0.5 && found.placedShare < 0.9)
        #expect {
            try found.check(least: 1, of: "resnet18.pth")
        } throws: {
            let text = "\($0)"
            return text.hasPrefix("resnet18.pth: expected at least 100.0 %") && text.contains("encoders.*.layer3 ")
                && text.contains("expected shape") && text.count < 700
        }
        try found.check(least: 0.01, of: "resnet18.pth")
        let nothing = BackboneImport(
            ForeignWeights(["a": .zeros([1])]), into: resnet(18), fresh: try .zeros(for: resnet(18)))
        #expect(nothing.foundShare == 0)
        #expect(throws: ImportError.self) { try nothing.check(least: 0.01, of: "a.pth") }
        #expect(
            PathGroups(["encoders.rgb.layer1.0.conv1.weight", "encoders.tir.layer1.1.bn1.bias", "norm.weight"]).text
                == "encoders.*.layer1 2, norm 1")
    }

    /// All that one backbone of a model has, by its own names.
    private func complete(_ configuration: ModelConfiguration) throws -> [String: Tensor] {
        try Weights.zeros(for: configuration).under("encoders.rgb").tensors
    }
}

extension Weights {
    /// Zeros in the shapes that a model asks for.
    static func zeros(for configuration: ModelConfiguration) throws -> Weights {
        let recorder = ShapeRecorder()
        _ = try configuration.makeSystem(
            ParameterScope(mode: .training(dropout: nil)) { path, shape in recorder.record(path, shape) })
        return recorder.weights
    }
}

/// Notes what a model asks for.
final class ShapeRecorder: Sendable {
    private let noted = Mutex(Weights())

    var weights: Weights { noted.withLock { $0 } }

    func record(_ path: String, _ shape: Shape) -> Tensor {
        let zeros = Tensor.zeros(shape)
        noted.withLock { $0[path] = zeros }
        return zeros
    }
}
