extension ModelConfiguration {
    /// Multiply-adds of the backbone's products and convolutions for one image; norms, activations and softmax are not
    /// counted. Twice this is the usual count of floating-point operations.
    public var backboneMultiplyAdds: Int {
        switch backbone {
        case .vit(let vit): vit.multiplyAdds(input)
        case .resnet(let resnet): resnet.multiplyAdds(input, branches: system == .mixer ? 2 : 1)
        }
    }
}

extension ModelConfiguration.Backbone.ViT {
    fileprivate func multiplyAdds(_ input: ModelConfiguration.Input) -> Int {
        let (rows, columns) = grid(height: input.height, width: input.width)
        let tokens = prefix + rows * columns
        let blocks = (0..<depth).map { index in
            let inner = heads(ofBlock: index) * headWidth
            let attention = 4 * tokens * width * inner + 2 * tokens * tokens * inner
            return attention + 2 * tokens * width * hidden(ofBlock: index)
        }
        return rows * columns * 3 * patch * patch * width + blocks.reduce(0, +)
    }
}

extension ModelConfiguration.Backbone.ResNet {
    /// - Parameter branches: how many networks of its own the last stage is.
    fileprivate func multiplyAdds(_ input: ModelConfiguration.Input, branches: Int) -> Int {
        let halved = { (side: Int) in (side - 1) / 2 + 1 }
        var (height, width) = (halved(input.height), halved(input.width))
        var total = height * width * 3 * 64 * 49
        (height, width) = (halved(height), halved(width))
        var inputs = 64
        for (index, stage) in stageOfBlock.enumerated() {
            let isFirst = index == stageBlocks[..<stage].reduce(0, +)
            let isHalving = isFirst && stage > 0 && (stage < 3 || lastStride == 2)
            let before = height * width
            if isHalving { (height, width) = (halved(height), halved(width)) }
            let widths = [inputs] + innerWidths(ofBlock: index) + [(64 << stage) * expansion]
            let cost = Self.multiplyAdds(widths, pixels: height * width, before: before, isHalving: isHalving)
            total += cost * (stage == 3 ? branches : 1)
            inputs = widths[widths.count - 1]
        }
        return total
    }

    /// Of one block: two 3×3 convolutions, or a bottleneck whose first convolution still sees the larger map.
    private static func multiplyAdds(_ widths: [Int], pixels: Int, before: Int, isHalving: Bool) -> Int {
        let (inputs, outputs) = (widths[0], widths[widths.count - 1])
        let shortcut = isHalving || inputs != outputs ? pixels * inputs * outputs : 0
        if widths.count == 3 { return shortcut + 9 * pixels * (inputs * widths[1] + widths[1] * outputs) }
        return shortcut + before * inputs * widths[1] + pixels * (9 * widths[1] * widths[2] + widths[2] * outputs)
    }
}
