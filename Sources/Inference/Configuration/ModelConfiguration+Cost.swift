extension ModelConfiguration {
    /// Elements of an embedding.
    public var dimension: Int {
        switch system {
        case .unicat, .fusionConcat: modalities.count * networks * backbone.width
        case .fusionAverage, .graft, .dmf: backbone.width
        case .mixer(let head): head.branches.count * backbone.width
        case .ieee(let head): modalities.count * head.parts * head.partWidth
        }
    }

    /// Multiply-adds of the backbone's products and convolutions for one image; norms, activations and softmax are not
    /// counted. Twice this is the usual count of floating-point operations.
    public var backboneMultiplyAdds: Int {
        switch backbone {
        case .vit(let vit): vit.multiplyAdds(input) + projectionMultiplyAdds(vit)
        case .resnet(let resnet): resnet.multiplyAdds(input, branches: branches)
        }
    }

    /// How many networks of its own the end of a backbone is: MixER's branches.
    private var branches: Int {
        if case .mixer(let head) = system { head.branches.count } else { 1 }
    }

    /// The projection of the tokens that are used: all of them in GraFT, one elsewhere.
    private func projectionMultiplyAdds(_ vit: Backbone.ViT) -> Int {
        let tokens = system.name == .graft ? vit.tokens(input) : 1
        return tokens * vit.width * (vit.variant.projection ?? 0)
    }

    /// What encoding a triple of all modalities costs, in multiply-adds: everything whose number grows faster than that of
    /// the activations. A softmax over many narrow heads costs more than the products around it, so each of its elements
    /// counts as ``softmaxMultiplyAdds``.
    ///
    /// Fits an `Int` for every valid configuration; nothing is built.
    public var tripleMultiplyAdds: Int {
        var image = backboneMultiplyAdds
        if case .vit(let vit) = backbone {
            image += vit.softmax(tokens: vit.tokens(input))
            image += (branches - 1) * vit.block(vit.depth - 1, tokens: vit.tokens(input))
        }
        return modalities.count * networks * (image + headMultiplyAdds) + jointMultiplyAdds
    }

    /// What looks at all modalities at once.
    private var jointMultiplyAdds: Int {
        guard case .graft(let head) = system, head.fusion.isVanilla, case .vit(let vit) = backbone else { return 0 }
        return head.layer(tokens: head.fusionTokens + modalities.count * vit.tokens(input), width: backbone.width)
    }

    /// What encoding the longest text costs, in the same measure; 0 for a model that reads none.
    public var textMultiplyAdds: Int {
        guard case .dmf(let head) = system, case .vit(let vit) = backbone else { return 0 }
        let tokens = 1 + head.text.maxTokens
        let blocks = (0..<vit.depth).reduce(0) { $0 + vit.block($1, tokens: tokens) }
        return head.text.maxTokens * head.text.width * vit.width + blocks
    }

    /// What one element of a softmax costs beside a multiply-add.
    static let softmaxMultiplyAdds = 8

    /// What follows the backbone, an image.
    private var headMultiplyAdds: Int {
        let width = backbone.width
        switch (system, backbone) {
        case (.graft(let head), .vit(let vit)):
            return head.fusion.isVanilla ? 0 : head.layer(tokens: head.fusionTokens + vit.tokens(input), width: width)
        case (.mixer(let head), _): return head.fusion == .crossAttention ? crossAttention : 0
        case (.ieee(let head), .resnet(let resnet)):
            let interaction = 2 * resnet.pixels(input) * width * width + 4 * width * (width / head.attentionRatio)
            let relation = (head.parts + 2) * head.reduced * head.reduced
            return (head.interaction ? interaction : 0) + (head.parts + 1) * width * head.reduced
                + (head.relation ? relation : 0) + head.parts * head.reduced * head.partWidth
        case (.dmf, .vit(let vit)): return vit.tokens(input) * width * width
        default: return 0
        }
    }
}

extension ModelConfiguration {
    /// Of MixER's branches, each asking the other.
    private var crossAttention: Int {
        let tokens =
            switch backbone {
            case .vit(let vit): vit.tokens(input)
            case .resnet(let resnet): resnet.pixels(input)
            }
        let inner = MixERHead.attentionWidth(backbone.width)
        let products = 4 * tokens * backbone.width * inner + 2 * tokens * tokens * inner
        return 2 * (products + Self.softmaxMultiplyAdds * MixERHead.attentionHeads * tokens * tokens)
    }
}

extension ModelConfiguration.GraFTHead {
    /// One fusion layer.
    fileprivate func layer(tokens: Int, width: Int) -> Int {
        4 * tokens * width * width + 2 * tokens * tokens * width + 2 * tokens * width * feedforward
            + ModelConfiguration.softmaxMultiplyAdds * heads * tokens * tokens
    }
}

extension ModelConfiguration.Backbone.ViT {
    fileprivate func multiplyAdds(_ input: ModelConfiguration.Input) -> Int {
        let tokens = tokens(input)
        let patches = (tokens - prefix) * 3 * patch * patch * width
        return patches + (0..<depth).reduce(0) { $0 + products($1, tokens: tokens) }
    }

    /// The products of one block.
    private func products(_ index: Int, tokens: Int) -> Int {
        let inner = heads(ofBlock: index) * headWidth
        return 4 * tokens * width * inner + 2 * tokens * tokens * inner + 2 * tokens * width * hidden(ofBlock: index)
    }

    /// The softmax of all blocks.
    fileprivate func softmax(tokens: Int) -> Int {
        let all = (0..<depth).reduce(0) { $0 + heads(ofBlock: $1) }
        return ModelConfiguration.softmaxMultiplyAdds * all * tokens * tokens
    }

    /// One block, its softmax included.
    fileprivate func block(_ index: Int, tokens: Int) -> Int {
        products(index, tokens: tokens)
            + ModelConfiguration.softmaxMultiplyAdds * heads(ofBlock: index) * tokens * tokens
    }
}

extension ModelConfiguration.Backbone.ResNet {
    /// - Parameter branches: how many networks of its own the last stage is.
    fileprivate func multiplyAdds(_ input: ModelConfiguration.Input, branches: Int) -> Int {
        var (height, width) = (Self.halved(input.height), Self.halved(input.width))
        var total = height * width * 3 * 64 * 49
        (height, width) = (Self.halved(height), Self.halved(width))
        var inputs = 64
        for (index, stage) in stageOfBlock.enumerated() {
            let isFirst = index == stageBlocks[..<stage].reduce(0, +)
            let isHalving = isFirst && stage > 0 && (stage < 3 || lastStride == 2)
            let before = height * width
            if isHalving { (height, width) = (Self.halved(height), Self.halved(width)) }
            let widths = [inputs] + innerWidths(ofBlock: index) + [(64 << stage) * expansion]
            let cost = Self.multiplyAdds(widths, pixels: height * width, before: before, isHalving: isHalving)
            total += cost * (stage == 3 ? branches : 1)
            inputs = widths[widths.count - 1]
        }
        return total
    }

    private static func halved(_ side: Int) -> Int { (side - 1) / 2 + 1 }

    /// Pixels of the last map: halved by the stem twice, and by every stage but the first.
    fileprivate func pixels(_ input: ModelConfiguration.Input) -> Int {
        let halvings = lastStride == 2 ? 5 : 4
        let side = { (side: Int) in (0..<halvings).reduce(side) { side, _ in Self.halved(side) } }
        return side(input.height) * side(input.width)
    }

    /// Of one block: two 3×3 convolutions, or a bottleneck whose first convolution still sees the larger map.
    private static func multiplyAdds(_ widths: [Int], pixels: Int, before: Int, isHalving: Bool) -> Int {
        let (inputs, outputs) = (widths[0], widths[widths.count - 1])
        let shortcut = isHalving || inputs != outputs ? pixels * inputs * outputs : 0
        if widths.count == 3 { return shortcut + 9 * pixels * (inputs * widths[1] + widths[1] * outputs) }
        return shortcut + before * inputs * widths[1] + pixels * (9 * widths[1] * widths[2] + widths[2] * outputs)
    }
}
