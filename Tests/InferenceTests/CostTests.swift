import Inference
import Testing

@Suite("The backbone's arithmetic")
struct CostTests {
    private func multiplyAdds(
        _ backbone: ModelConfiguration.Backbone, system: ModelConfiguration.System = .unicat, side: Int = 224
    ) -> Int {
        ModelConfiguration(
            system: system, backbone: backbone, input: .init(height: side, width: side, mean: [:], std: [:])
        ).backboneMultiplyAdds
    }

    @Test(
        "ResNets have the multiply-adds that torchvision publishes, less those of its classifier",
        arguments: [(18, 1_814_073_344 - 512_000), (34, 3_663_761_408 - 512_000), (50, 4_089_184_256 - 2_048_000)])
    func resnet(depth: Int, expected: Int) {
        #expect(multiplyAdds(.resnet(.init(depth: depth, lastStride: 2))) == expected)
    }

    @Test("MixER has two last stages")
    func branches() {
        // The last stage of a ResNet-18 at stride 2: 7 × 7 pixels of 256 → 512 and three of 512 → 512, and a shortcut.
        let stage = 49 * (9 * 256 * 512 + 3 * 9 * 512 * 512 + 256 * 512)
        let backbone = ModelConfiguration.Backbone.resnet(.init(depth: 18, lastStride: 2))
        #expect(multiplyAdds(backbone, system: .mixer()) - multiplyAdds(backbone) == stage)
    }

    private func configuration(
        _ system: ModelConfiguration.System, _ vit: ModelConfiguration.Backbone.ViT, side: Int = 16
    ) -> ModelConfiguration {
        ModelConfiguration(
            system: system, backbone: .vit(vit), input: .init(height: side, width: side, mean: [:], std: [:]))
    }

    @Test("a triple's and a text's, worked out by hand, softmax included")
    func triple() {
        let vit = ModelConfiguration.Backbone.ViT(width: 8, depth: 2, heads: 2, mlpRatio: 2, patch: 8)
        let block = 5 * 8 * 24 + 2 * 25 * 8 + 5 * 8 * 8 + 2 * 5 * 8 * 16 + 8 * 2 * 25
        let image = 4 * 192 * 8 + 2 * block
        #expect(configuration(.unicat, vit).tripleMultiplyAdds == 3 * image)
        #expect(configuration(.mixer(), vit).tripleMultiplyAdds == 3 * (image + block))
        // One fusion token more.
        let layer = 4 * 6 * 64 + 2 * 36 * 8 + 2 * 6 * 8 * 32 + 8 * 4 * 36
        let graft = configuration(.graft(.init(fusionTokens: 1, heads: 4, feedforward: 32)), vit)
        #expect(graft.tripleMultiplyAdds == 3 * (image + layer))
        let vanilla = configuration(.graft(.init(heads: 4, feedforward: 32, fusion: .vanillaCLS)), vit)
        let joint = 4 * 16 * 64 + 2 * 256 * 8 + 2 * 16 * 8 * 32 + 8 * 4 * 256
        #expect(vanilla.tripleMultiplyAdds == 3 * image + joint && vanilla.dimension == 8)
        var twice = configuration(.unicat, vit)
        twice.networks = 2
        #expect(twice.tripleMultiplyAdds == 6 * image && twice.dimension == 48)
        let erased = configuration(.mixer(.init(embedding: .erased)), vit)
        #expect(erased.tripleMultiplyAdds == 3 * image && erased.dimension == 8)
        let text = ModelConfiguration.DMFHead.Text(vocabulary: ["", "a"], width: 3, maxTokens: 4)
        let dmf = configuration(.dmf(.init(text: text)), vit)
        #expect(dmf.tripleMultiplyAdds == 3 * (image + 5 * 64))
        #expect(dmf.textMultiplyAdds == 4 * 3 * 8 + 2 * block && graft.textMultiplyAdds == 0)
    }

    @Test("MixER's branches ask each other on the last map")
    func crossAttention() {
        let model = ModelConfiguration(
            system: .mixer(.init(fusion: .crossAttention)), modalities: [.rgb], backbone: .resnet(.init(depth: 18)),
            input: .init(height: 64, width: 32, mean: [:], std: [:]))
        // 4 × 2 pixels of 512 channels, attention over 128.
        let one = 4 * 8 * 512 * 128 + 2 * 64 * 128 + 8 * 8 * 64
        #expect(model.tripleMultiplyAdds == model.backboneMultiplyAdds + 2 * one)
    }

    @Test("IEEE's parts count on the last map")
    func ieee() {
        let head = ModelConfiguration.IEEEHead(parts: 2, reduced: 4, partWidth: 3, attentionRatio: 16)
        let model = ModelConfiguration(
            system: .ieee(head), modalities: [.rgb], backbone: .resnet(.init(depth: 18, lastStride: 1)),
            input: .init(height: 64, width: 32, mean: [:], std: [:]))
        // 4 × 2 pixels of 512 channels.
        let interaction = 2 * 8 * 512 * 512 + 4 * 512 * 32
        let parts = 3 * 512 * 4 + 4 * 16 + 2 * 4 * 3
        #expect(model.tripleMultiplyAdds == model.backboneMultiplyAdds + interaction + parts)
        #expect(model.dimension == 6)
    }

    @Test("a small file that is enormous to compute shows in the cost, and the largest cost can be counted")
    func enormous() throws {
        let paper = configuration(.unicat, .init(width: 768, depth: 12, heads: 12), side: 224)
        let narrow = configuration(.unicat, .init(width: 64, depth: 128, heads: 64, patch: 1), side: 63)
        #expect(narrow.tripleMultiplyAdds > 50 * paper.tripleMultiplyAdds)
        let widest = ModelConfiguration.Backbone.ViT(
            width: 16384, depth: 128, heads: 16384, mlpRatio: 1, patch: 1, stride: 1)
        let largest = configuration(
            .graft(.init(fusionTokens: 64, heads: 16384, feedforward: 16384)), widest, side: 63)
        #expect(largest.tripleMultiplyAdds > 1 << 50)
    }

    @Test("a transformer's, worked out by hand, before and after pruning")
    func vit() {
        // 16 × 16 pixels in patches of 8: 4 patches and the class token.
        let patches = 4 * 192 * 8
        let dense = ModelConfiguration.Backbone.ViT(width: 8, depth: 2, heads: 2, mlpRatio: 2, patch: 8)
        let block = 5 * 8 * 24 + 2 * 25 * 8 + 5 * 8 * 8 + 2 * 5 * 8 * 16
        #expect(multiplyAdds(.vit(dense), side: 16) == patches + 2 * block)
        var pruned = dense
        pruned.blockHeads = [2, 1]
        pruned.mlpWidths = [16, 3]
        let smaller = 5 * 8 * 12 + 2 * 25 * 4 + 5 * 4 * 8 + 2 * 5 * 8 * 3
        #expect(multiplyAdds(.vit(pruned), side: 16) == patches + block + smaller)
    }
}
