import Documents

extension ModelConfiguration {
    /// The largest sizes accepted.
    ///
    /// Every published model lies well within; products of any few of them fit an `Int`, and one image's activations
    /// fit a server's memory, so a hostile document can neither overflow arithmetic nor ask for an absurd allocation.
    public enum Limits {
        /// Pixels on a side of an image.
        public static let side = 1024
        /// Features of any one layer.
        public static let width = 16384
        /// Transformer blocks.
        public static let depth = 128
        /// Tokens of one image: attention is quadratic in it.
        public static let tokens = 4096
        /// Elements of an embedding: what a gallery can hold.
        public static let dimension = 65536
        /// Classes of a classifier.
        public static let identities = 10_000_000
        /// Backbones a modality.
        public static let networks = 8
        /// Words known to a text encoder.
        public static let vocabulary = 1_000_000
    }

    /// Checks that the model can be built.
    ///
    /// Throws `DocumentError.invalid` for the first field that is refused.
    public func validate() throws(DocumentError) {
        try validateModalities()
        try validateInput()
        switch backbone {
        case .vit(let vit): try vit.validate(for: input)
        case .resnet(let resnet): try resnet.validate()
        }
        try validateSystem()
        try Check.that(
            dimension <= Limits.dimension, "system", "an embedding of at most \(Limits.dimension) elements",
            found: "\(dimension)")
        if let identities { try Check.range(identities, 1...Limits.identities, "identities") }
        for (field, value) in [("pruning", pruning), ("quantization", quantization)] {
            if let value, value.object == nil {
                throw DocumentError.invalid(field: field, expected: "an object", found: value.summary)
            }
        }
    }

    private func validateModalities() throws(DocumentError) {
        let names = "[" + modalities.map(\.rawValue).joined(separator: ", ") + "]"
        try Check.that(!modalities.isEmpty, "modalities", "at least one", found: names)
        try Check.that(Set(modalities).count == modalities.count, "modalities", "no duplicates", found: names)
    }

    private func validateInput() throws(DocumentError) {
        try Check.range(input.height, 1...Limits.side, "input.height")
        try Check.range(input.width, 1...Limits.side, "input.width")
        for modality in modalities {
            try Check.channels(input.mean[modality], "input.mean.\(modality)", "3 finite numbers") { _ in true }
            try Check.channels(input.std[modality], "input.std.\(modality)", "3 positive finite numbers") { $0 > 0 }
        }
    }

    private func validateSystem() throws(DocumentError) {
        switch system {
        case .unicat, .fusionConcat, .fusionAverage: try validateNetworks(Limits.networks)
        case .graft, .ieee, .mixer, .dmf: try validateNetworks(1)
        }
        try Check.that(
            neckFeature == .before || system.name != .ieee, "neck_feature", "before for system ieee, which has no neck",
            found: neckFeature.rawValue)
        switch (system, backbone) {
        case (.graft, .resnet), (.dmf, .resnet):
            throw DocumentError.invalid(
                field: "backbone.kind", expected: "vit for system \(system.name.rawValue)", found: "resnet")
        case (.ieee, .vit):
            throw DocumentError.invalid(field: "backbone.kind", expected: "resnet for system ieee", found: "vit")
        case (.graft(let head), .vit(let vit)):
            try head.validate(width: backbone.width, tokens: vit.tokens(input), modalities: modalities.count)
        case (.ieee(let head), _): try head.validate(width: backbone.width)
        case (.dmf(let head), .vit(let vit)):
            try head.text.validate()
            // Texts would have to be normalised and projected too.
            try Check.that(!vit.variant.normalisesFirst, "backbone.pre_norm", "none for system dmf", found: "true")
            try vit.variant.refuseProjection(for: system)
        case (.mixer(let head), _):
            try head.validate(width: backbone.width)
            if case .vit(let vit) = backbone { try vit.variant.refuseProjection(for: system) }
        case (.unicat, _), (.fusionConcat, _), (.fusionAverage, _): break
        }
    }

    private func validateNetworks(_ most: Int) throws(DocumentError) {
        try Check.that(
            (1...most).contains(networks), "networks",
            most == 1 ? "1 for system \(system.name.rawValue)" : "1 to \(most)", found: "\(networks)")
    }
}

extension ModelConfiguration.Backbone.ViT {
    fileprivate func validate(for input: ModelConfiguration.Input) throws(DocumentError) {
        try Check.range(width, 1...ModelConfiguration.Limits.width, "backbone.width")
        try Check.range(depth, 1...ModelConfiguration.Limits.depth, "backbone.depth")
        try Check.heads(heads, dividing: width, "backbone.heads")
        let widest = Double(ModelConfiguration.Limits.width)
        let hidden = Double(width) * mlpRatio
        // A NaN fails the comparison too.
        try Check.that(
            hidden >= 1 && hidden <= widest, "backbone.mlp_ratio",
            "a hidden layer of 1 to \(ModelConfiguration.Limits.width)", found: "\(width) × \(mlpRatio)")
        try Check.range(patch, 1...min(input.height, input.width), "backbone.patch")
        try Check.range(stride, 1...ModelConfiguration.Limits.side, "backbone.stride")
        let (rows, columns) = grid(height: input.height, width: input.width)
        try Check.that(
            prefix + rows * columns <= ModelConfiguration.Limits.tokens, "backbone.stride",
            "at most \(ModelConfiguration.Limits.tokens) tokens an image", found: "\(prefix) + \(rows) × \(columns)")
        try Check.widths(blockHeads, blocks: depth, 1...heads, "backbone.block_heads")
        try Check.widths(mlpWidths, blocks: depth, 1...self.hidden, "backbone.mlp_widths")
        try variant.validate()
    }
}

extension ModelConfiguration.Backbone.ViT.Variant {
    fileprivate func validate() throws(DocumentError) {
        try Check.that(
            normEpsilon > 0 && normEpsilon <= 0.01, "backbone.norm_epsilon", "more than 0, at most 0.01",
            found: "\(normEpsilon)")
        if let projection { try Check.range(projection, 1...ModelConfiguration.Limits.width, "backbone.projection") }
    }

    fileprivate func refuseProjection(for system: ModelConfiguration.System) throws(DocumentError) {
        guard let projection else { return }
        throw DocumentError.invalid(
            field: "backbone.projection", expected: "none for system \(system.name.rawValue)", found: "\(projection)")
    }
}

extension ModelConfiguration.Backbone.ResNet {
    fileprivate func validate() throws(DocumentError) {
        let depths = Self.depths.map(String.init).joined(separator: ", ")
        try Check.that(Self.depths.contains(depth), "backbone.depth", "one of \(depths)", found: "\(depth)")
        try Check.range(lastStride, 1...2, "backbone.last_stride")
        guard let innerWidths else { return }
        let blocks = stageOfBlock
        let field = "backbone.inner_widths"
        try Check.that(
            innerWidths.count == blocks.count, field, "\(blocks.count) lists, one a block",
            found: "\(innerWidths.count)")
        let count = expansion == 1 ? 1 : 2
        for (index, (widths, stage)) in zip(innerWidths, blocks).enumerated() {
            try Check.that(widths.count == count, "\(field).\(index)", "a list of \(count)", found: "\(widths)")
            for width in widths { try Check.range(width, 1...(64 << stage), "\(field).\(index)") }
        }
    }
}

extension ModelConfiguration.GraFTHead {
    /// - Parameter tokens: of an image.
    fileprivate func validate(width: Int, tokens: Int, modalities: Int) throws(DocumentError) {
        try Check.range(fusionTokens, 1...64, "head.fusion_tokens")
        let most = ModelConfiguration.Limits.tokens
        try Check.that(
            !fusion.isVanilla || modalities * tokens <= most, "head.fusion",
            "at most \(most) tokens of all modalities for \(fusion.rawValue)", found: "\(modalities) × \(tokens)")
        try Check.heads(heads, dividing: width, "head.heads")
        try Check.range(feedforward, 1...ModelConfiguration.Limits.width, "head.feedforward")
        try Check.that(dropout >= 0 && dropout < 1, "head.dropout", "0 ≤ dropout < 1", found: "\(dropout)")
    }
}

extension ModelConfiguration.IEEEHead {
    fileprivate func validate(width: Int) throws(DocumentError) {
        try Check.range(parts, 1...64, "head.parts")
        try Check.range(reduced, 1...ModelConfiguration.Limits.width, "head.reduced")
        try Check.range(partWidth, 1...ModelConfiguration.Limits.width, "head.part_width")
        // The attention's hidden layer has width / ratio channels, which must not be none.
        try Check.range(attentionRatio, 1...width, "head.attention_ratio")
    }
}

extension ModelConfiguration.DMFHead.Text {
    fileprivate func validate() throws(DocumentError) {
        try Check.range(vocabulary.count, 1...ModelConfiguration.Limits.vocabulary, "head.text.vocabulary's count")
        try Check.that(
            !vocabulary.contains(""), "head.text.vocabulary", "words", found: "an empty string")
        try Check.that(
            Set(vocabulary).count == vocabulary.count, "head.text.vocabulary", "no duplicates",
            found: "\(vocabulary.count - Set(vocabulary).count) of them")
        try Check.range(width, 1...ModelConfiguration.Limits.width, "head.text.width")
        try Check.range(maxTokens, 1...(ModelConfiguration.Limits.tokens - 1), "head.text.max_tokens")
    }
}

/// The tests that fields share.
private enum Check {
    static func that(
        _ holds: Bool, _ field: String, _ expected: String, found: @autoclosure () -> String
    ) throws(DocumentError) {
        if !holds { throw DocumentError.invalid(field: field, expected: expected, found: found()) }
    }

    static func range(_ value: Int, _ range: ClosedRange<Int>, _ field: String) throws(DocumentError) {
        try that(range.contains(value), field, "\(range.lowerBound) to \(range.upperBound)", found: "\(value)")
    }

    /// What pruning has left of each block.
    static func widths(
        _ widths: [Int]?, blocks: Int, _ range: ClosedRange<Int>, _ field: String
    ) throws(DocumentError) {
        guard let widths else { return }
        try that(widths.count == blocks, field, "\(blocks) numbers, one a block", found: "\(widths.count)")
        for (index, width) in widths.enumerated() { try self.range(width, range, "\(field).\(index)") }
    }

    static func heads(_ heads: Int, dividing width: Int, _ field: String) throws(DocumentError) {
        try that(
            heads >= 1 && width.isMultiple(of: heads), field, "a divisor of the width \(width)", found: "\(heads)")
    }

    static func channels(
        _ values: [Float]?, _ field: String, _ expected: String, where accepted: (Float) -> Bool
    ) throws(DocumentError) {
        guard let values else { throw DocumentError.invalid(field: field, expected: expected, found: "nothing") }
        let good = values.count == 3 && values.allSatisfy { $0.isFinite && accepted($0) }
        try that(good, field, expected, found: "\(values)")
    }
}
