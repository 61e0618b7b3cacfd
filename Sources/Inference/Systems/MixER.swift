import Tensor

/// MixER (mixed-modality erased and related features): one network for images of any modality, whose end splits into a
/// branch that must not know the modality and one that must; an embedding is both, side by side (MixER, section 3), or one
/// of them alone, or both after each has asked the other (Table B.5).
struct MixER: EncodingSystem {
    let dimension: Int
    let modalities: [Modality]
    let combination = Combination.sum
    private let trunk: Trunk
    /// Both, but for serving what an embedding is made of.
    private let branches: [Branch]
    private let cross: [CrossAttention]
    private let embedding: ModelConfiguration.MixERHead.Features
    private let heads: Heads?

    /// What the branches share.
    private enum Trunk: Sendable {
        case vit(VisionTransformer)
        case resnet(ResNet)

        var isNarrow: Bool {
            switch self {
            case .vit(let network): network.isNarrow
            case .resnet(let network): network.isNarrow
            }
        }

        func callAsFunction(_ images: Tensor) -> FeatureMap {
            switch self {
            case .vit(let network): .floats(network(images))
            case .resnet(let network): network.map(images)
            }
        }
    }

    /// What they do not: the last block, or the last stage.
    private enum Branch: Sendable {
        case vit(TransformerBlock, LayerNorm)
        case resnet(ResNetStage)

        /// → its tokens, or its map.
        func callAsFunction(_ x: FeatureMap) -> Tensor {
            switch self {
            case .vit(let block, let norm): norm(block(x.tensor))
            case .resnet(let stage): stage(x).tensor
            }
        }
    }

    private struct Heads: Sendable {
        let erased: IdentityHead
        let related: IdentityHead
        let fused: IdentityHead
        let adversary: (Linear, Linear)
    }

    init(_ configuration: ModelConfiguration, _ head: ModelConfiguration.MixERHead, _ scope: ParameterScope) throws {
        (modalities, dimension) = (configuration.modalities, configuration.dimension)
        embedding = head.embedding
        let width = configuration.backbone.width
        let names = scope.hasClassifiers ? [.erased, .related] : head.branches
        (trunk, branches) = try Self.networks(configuration, scope, names.map(\.rawValue))
        cross = try (head.fusion == .crossAttention ? ["erased", "related"] : []).map {
            try CrossAttention(scope.scope("cross").scope($0), width: width)
        }
        heads = scope.hasClassifiers ? try Self.heads(configuration, scope, width) : nil
    }

    private static func networks(
        _ configuration: ModelConfiguration, _ scope: ParameterScope, _ branches: [String]
    ) throws -> (Trunk, [Branch]) {
        let (height, width) = (configuration.input.height, configuration.input.width)
        switch configuration.backbone {
        case .vit(let vit):
            let trunk = try VisionTransformer(
                scope.scope("backbone"), vit, height: height, width: width, isTrunk: true)
            let branch = { (name: String) in
                Branch.vit(
                    try TransformerBlock(scope.scope(name).scope("block"), vit, index: vit.depth - 1),
                    try LayerNorm(scope.scope(name).scope("norm"), of: vit))
            }
            return (.vit(trunk), try branches.map(branch))
        case .resnet(let resnet):
            let trunk = try ResNet(scope.scope("backbone"), resnet, height: height, width: width, stages: 3)
            let branch = { (name: String) in
                Branch.resnet(
                    try ResNetStage(scope.scope(name).scope("layer4"), resnet, number: 3, input: trunk.output))
            }
            return (.resnet(trunk), try branches.map(branch))
        }
    }

    private static func heads(
        _ configuration: ModelConfiguration, _ scope: ParameterScope, _ width: Int
    ) throws -> Heads {
        let (identities, count) = (try configuration.trainedIdentities, configuration.modalities.count)
        let head = { (prefix: String, width: Int, classes: Int) in
            try IdentityHead(
                neck: scope.scope("\(prefix)neck"), classifier: scope.scope("\(prefix)classifier"), width: width,
                identities: classes)
        }
        let adversary = scope.scope("adversary")
        return Heads(
            erased: try head("erased_", width, identities), related: try head("related_", width, identities * count),
            fused: try head("", configuration.dimension, identities),
            adversary: (
                try Linear(adversary.scope("0"), inputs: width, outputs: width),
                try Linear(adversary.scope("2"), inputs: width, outputs: count)
            ))
    }

    /// Images [B, H, W, 3] → tokens or a map of each branch.
    private func ends(_ images: Tensor) -> [Tensor] {
        let shared = trunk(images)
        return branches.map { $0(shared) }
    }

    /// Tokens, or a map → [B, D].
    private static func pooled(_ end: Tensor) -> Tensor {
        end.shape.rank == 3 ? end.classToken : end.globallyAveraged()
    }

    /// What an embedding is made of, of [B, D] of each branch and what they were pooled from: [B, dimension].
    private func fused(_ features: [Tensor], _ ends: [Tensor]) -> Tensor {
        switch embedding {
        case .both: Tensor.concatenated(cross.isEmpty ? features : crossed(ends), axis: 1)
        case .erased: features[0]
        // Serving has no other branch then.
        case .related: features[features.count - 1]
        }
    }

    /// What the branches make after each has asked the other: [B, D] of each.
    private func crossed(_ ends: [Tensor]) -> [Tensor] {
        let tokens = ends.map { end in
            end.shape.rank == 3
                ? end : end.reshaped([end.shape[0], end.shape[1] * end.shape[2], end.shape[3]])
        }
        return cross.enumerated().map { index, layer in
            Self.pooled(layer(tokens[index], asking: tokens[1 - index]).reshaped(ends[index].shape))
        }
    }

    private func split(_ images: [Modality: Tensor], _ encode: (Tensor) -> Tensor) -> [Modality: Tensor] {
        shared(images) { $0.encoded(narrowly: trunk.isNarrow, encode) }.reduce(into: [:]) { $0[$1.modality] = $1.rows }
    }

    func vectors(_ images: [Modality: Tensor]) -> [Modality: Tensor] {
        split(images) { all in
            let ends = ends(all)
            return fused(ends.map(Self.pooled), ends)
        }
    }

    /// Both branches' halves, and after them what is made of both by cross-attention, side by side.
    func features(_ images: [Modality: Tensor]) -> [Modality: Tensor] {
        split(images) { all in
            let ends = ends(all)
            let pooled = ends.map(Self.pooled)
            return Tensor.concatenated(pooled + (cross.isEmpty ? [] : [fused(pooled, ends)]), axis: 1)
        }
    }

    /// What embeddings are, of such features.
    private func embedding(of features: Tensor) -> Tensor {
        let width = features.shape[1] / (cross.isEmpty ? 2 : 4)
        switch embedding {
        case .both: return cross.isEmpty ? features : features.sliced(axis: 1, (2 * width)..<(4 * width))
        case .erased: return features.sliced(axis: 1, 0..<width)
        case .related: return features.sliced(axis: 1, width..<(2 * width))
        }
    }

    /// The rows of the heads are the batch's images, a modality after the other, in the configuration's order.
    func output(_ features: [Modality: Tensor], _ rows: BatchRows) -> SystemOutput {
        guard let heads else { preconditionFailure("a system built for inference has no classifier") }
        let present = modalities.indices.filter { features[modalities[$0]] != nil }
        let all = Tensor.concatenated(present.compactMap { features[modalities[$0]] }, axis: 0)
        let width = all.shape[1] / (cross.isEmpty ? 2 : 4)
        let (erased, related) = (all.sliced(axis: 1, 0..<width), all.sliced(axis: 1, width..<(2 * width)))
        let fused = embedding(of: all)
        let hidden = heads.adversary.0(erased.reversingGradient(), activation: .relu)
        let triples = present.flatMap { rows.rows(of: modalities[$0]) }
        return SystemOutput(
            heads: [
                .init(name: "erased", features: erased, logits: [heads.erased(erased)], rows: triples),
                .init(name: "related", features: related, logits: [heads.related(related)], rows: triples),
                .init(name: "fused", features: fused, logits: [heads.fused(fused)], rows: triples),
            ], embedding: combined(features.mapValues(embedding(of:)), rows),
            modalityLogits: heads.adversary.1(hidden),
            places: present.flatMap { [Int](repeating: $0, count: rows.rows(of: modalities[$0]).count) })
    }
}

/// Tokens that ask others by attention, added to what they find: x + W·attention(Q(x), K(y), V(y)) (Vaswani et al., 2017,
/// eq. 1), over a quarter of the features. The branches ask each other so (MixER, Table B.5).
private struct CrossAttention: Sendable {
    private let query: Linear
    private let key: Linear
    private let value: Linear
    private let projection: Linear

    init(_ scope: ParameterScope, width: Int) throws {
        let inner = ModelConfiguration.MixERHead.attentionWidth(width)
        let layer = { (name: String) in try Linear(scope.scope(name), inputs: width, outputs: inner) }
        (query, key, value) = (try layer("query"), try layer("key"), try layer("value"))
        projection = try Linear(scope.scope("projection"), inputs: inner, outputs: width)
    }

    /// [B, N, D], as many of either → [B, N, D].
    func callAsFunction(_ own: Tensor, asking other: Tensor) -> Tensor {
        // Self-attention's kernel reads queries, keys and values side by side, wherever they come from.
        let joined = Tensor.concatenated([query(own), key(other), value(other)], axis: 2)
        let isNarrow = query.isNarrow && key.isNarrow && value.isNarrow
        return projection(
            Tensor.attention(joined, heads: ModelConfiguration.MixERHead.attentionHeads, isNarrow: isNarrow),
            residual: own)
    }
}
