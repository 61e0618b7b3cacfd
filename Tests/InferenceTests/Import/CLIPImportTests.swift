import Foundation
import Import
import Inference
import Tensor
import Testing

/// CLIP's image tower, from a TorchScript archive as OpenAI publishes it (Fixtures/Import/make_clip.py).
@Suite("Importing CLIP")
struct CLIPImportTests {
    private func path(_ name: String) throws -> String {
        try #require(Bundle.module.resourceURL).appending(path: "Fixtures/Import/\(name)").path
    }

    private func configuration(
        side: Int = 16, _ change: (inout ModelConfiguration.Backbone.ViT.Variant) -> Void = { _ in }
    ) -> ModelConfiguration {
        var vit = ModelConfiguration.Backbone.ViT(width: 24, depth: 2, heads: 3, patch: 8)
        vit.variant.activation = .quickGELU
        vit.variant.normalisesFirst = true
        vit.variant.normEpsilon = 1e-5
        vit.variant.projection = 16
        change(&vit.variant)
        return ModelConfiguration(
            system: .unicat, modalities: [.rgb], backbone: .vit(vit),
            input: .init(height: side, width: side, mean: [.rgb: [0, 0, 0]], std: [.rgb: [1, 1, 1]]), identities: 2)
    }

    private func imported(
        _ configuration: ModelConfiguration, _ change: (inout [String: Tensor]) -> Void = { _ in }
    ) throws -> BackboneImport {
        var tensors = try ForeignWeights(path: path("clip.pt")).tensors
        change(&tensors)
        return BackboneImport(ForeignWeights(tensors), into: configuration, fresh: try .zeros(for: configuration))
    }

    @Test("its modules' tensors come out of the archive, whose compressed code is not opened")
    func archive() throws {
        let tensors = try ForeignWeights(path: path("clip.pt")).tensors
        #expect(tensors["visual.conv1.weight"]?.shape == [24, 3, 8, 8])
        #expect(tensors["visual.transformer.resblocks.1.attn.in_proj_weight"]?.shape == [72, 24])
        #expect(tensors["logit_scale"]?.scalars == [1])
        #expect(tensors.count == 49)
    }

    @Test("the tower answers as it does in PyTorch")
    func parity() throws {
        let configuration = configuration()
        let found = try imported(configuration)
        #expect(found.foundShare == 1 && found.placedShare == 1 && found.notes.isEmpty)
        #expect(found.missing.isEmpty && found.unplaced.isEmpty)
        #expect(found.skipped["token_embedding.weight"]?.contains("visual.") == true)
        let reference = try SafetensorsReader(path: path("clip.safetensors")).tensors().tensors
        let images = try #require(reference["images"]).transposed([0, 2, 3, 1])
        let encoder = try MultimodalEncoder(configuration: configuration, weights: found.weights, model: "clip")
        let embedding = Embedding.normalised(try encoder.embed(batch: [.rgb: images])).flatMap { $0 }
        let expected = try #require(reference["embedding"]).scalars
        let worst = zip(embedding, expected).map { abs($0 - $1) }.max() ?? 1
        #expect(embedding.count == expected.count && worst < 1e-5, "off by \(worst)")
    }

    @Test("what the model has otherwise is said; what it lacks and the tower computes with is refused, by name")
    func differences() throws {
        let plain = try imported(configuration { $0 = .init() })
        #expect(plain.notes.count == 2 && plain.notes[0].contains("quick_gelu") && plain.notes[1].contains("1e-5"))
        #expect(plain.skipped["projection.weight"]?.contains("backbone.projection: 16") == true)
        #expect(plain.foundShare == 1 && plain.placedShare < 1)
        #expect {
            try plain.check(least: 1, of: "clip.pt")
        } throws: {
            "\($0)".contains("backbone.pre_norm: true") && "\($0)".hasPrefix("clip.pt: expected at least 100.0 %")
        }
        try plain.check(least: 0.9, of: "clip.pt")
    }

    @Test("timm's form of the tower, whose projection is the head, is the same")
    func timm() throws {
        let configuration = configuration()
        let original = try imported(configuration)
        let again = try imported(configuration) { tensors in
            tensors = original.weights.under("encoders.rgb").tensors
            (tensors["head.weight"], tensors["projection.weight"]) = (tensors["projection.weight"], nil)
            tensors["head.bias"] = .zeros([16])
            tensors["patch_embed.proj.bias"] = nil
        }
        #expect(again.foundShare == 1 && again.placedShare == 1)
        #expect(again.skipped["head.bias"] == "a classifier of other classes")
        #expect(again.adapted["patch_embed.proj.bias"] == "the file has none: zeros")
        for path in original.weights.paths {
            #expect(original.weights[path]?.scalars == again.weights[path]?.scalars, "\(path)")
        }
    }

    @Test("a damaged archive is an error or other numbers, never a crash")
    func damage() throws {
        let folder = try ScratchFolder()
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path("clip.pt"))))
        let pickle = try #require(whole.firstRange(of: Array("__torch__".utf8)))
        for place in stride(from: pickle.lowerBound, to: pickle.lowerBound + 6000, by: 11) {
            var bytes = whole
            bytes[place] ^= UInt8(truncatingIfNeeded: 1 + place % 255)
            _ = try? ForeignWeights(path: folder.file(bytes, name: "changed.pt"))
        }
    }
}
