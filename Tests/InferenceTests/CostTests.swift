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
        #expect(multiplyAdds(backbone, system: .mixer) - multiplyAdds(backbone) == stage)
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
