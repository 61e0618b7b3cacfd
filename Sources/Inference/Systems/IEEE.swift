import Tensor

/// IEEE (Interact, Embed, and EnlargE): a ResNet a modality; the maps interact (CIM), are cut into horizontal parts, each of
/// which is related to the whole (REM), reduced, and classified on its own. The descriptor is all parts of all modalities
/// side by side (IEEE, section 3).
struct IEEE: EncodingSystem {
    let dimension: Int
    let combination = Combination.blocks
    private let branches: [Branch]

    var modalities: [Modality] { branches.map(\.modality) }
    var interacts: Bool { branches.contains { $0.interaction != nil } }

    /// One modality's way.
    private struct Branch: Sendable {
        let modality: Modality
        let backbone: ResNet
        let interaction: CrossModalInteraction?
        let parts: PartEmbedding
    }

    init(_ configuration: ModelConfiguration, _ head: ModelConfiguration.IEEEHead, _ scope: ParameterScope) throws {
        guard case .resnet(let resnet) = configuration.backbone else {
            throw EncoderError.unsupported("IEEE over \(configuration.backbone), expected a ResNet")
        }
        let input = configuration.input
        branches = try configuration.modalities.map { modality in
            let under = { (part: String) in scope.scope("\(part).\(modality.rawValue)") }
            return Branch(
                modality: modality,
                backbone: try ResNet(under("encoders"), resnet, height: input.height, width: input.width),
                interaction: head.interaction
                    ? try CrossModalInteraction(under("interaction"), width: resnet.width, ratio: head.attentionRatio)
                    : nil,
                parts: try PartEmbedding(
                    under, width: resnet.width, head,
                    identities: scope.hasClassifiers ? configuration.trainedIdentities : nil))
        }
        dimension = configuration.modalities.count * head.parts * head.partWidth
    }

    /// What does not depend on which others are there.
    private struct Seen {
        let branch: Branch
        let map: Tensor
        /// What the interaction makes of the map itself.
        let own: Tensor?
    }

    private func seen(_ maps: [Modality: Tensor]) -> [Seen] {
        branches.compactMap { branch in
            maps[branch.modality].map { Seen(branch: branch, map: $0, own: branch.interaction?.own($0)) }
        }
    }

    /// Each modality's parts, [B, P, part width], with what the others of a set gave it.
    ///
    /// - Parameter rows: which triples the maps are of; nil if all are of the same.
    private func parts(_ set: [Seen], _ rows: BatchRows? = nil) -> [(branch: Branch, parts: Tensor)] {
        set.enumerated().map { index, seen in
            let others = set.indices.filter { $0 != index }.map { index in
                let (map, modality) = (set[index].map, set[index].branch.modality)
                return rows?.aligned(map, of: modality, to: seen.branch.modality) ?? map
            }
            // Of nothing one pixel is enough: all are the same.
            let nothing = Tensor.zeros([seen.map.shape[0], 1, 1, seen.map.shape[3]])
            let rest = others.dropFirst().reduce(others.first ?? nothing, +)
            let map = seen.own.flatMap { own in seen.branch.interaction?(own: own, rest: rest) } ?? seen.map
            return (seen.branch, seen.branch.parts(map))
        }
    }

    /// The backbones' maps, [B, H, W, C].
    func features(_ images: [Modality: Tensor]) -> [Modality: Tensor] {
        let present = branches.compactMap { branch in images[branch.modality].map { (branch, $0) } }
        return Dictionary(
            present.map(\.0.modality), narrowly: branches.contains(where: \.backbone.isNarrow)
        ) { present[$0].0.backbone(present[$0].1) }
    }

    private static func flat(_ parts: Tensor) -> Tensor {
        parts.reshaped([parts.shape[0], parts.shape[1] * parts.shape[2]])
    }

    /// A modality's parts, with what the others that are present gave it.
    func vectors(_ images: [Modality: Tensor]) -> [Modality: Tensor] { vectors(images, nil) }

    private func vectors(_ images: [Modality: Tensor], _ rows: BatchRows?) -> [Modality: Tensor] {
        let parts = parts(seen(features(images)), rows)
        return Dictionary(uniqueKeysWithValues: parts.map { ($0.branch.modality, Self.flat($0.parts)) })
    }

    func embed(_ images: [Modality: Tensor], _ rows: BatchRows?) -> Tensor { combined(vectors(images, rows), rows) }

    /// Also for each smaller set: what the modalities of a whole triple give each other is not there when one of them is not.
    func encode(_ images: [Modality: Tensor]) -> SystemVectors {
        let seen = seen(features(images))
        var subsets: [Set<Modality>: Tensor] = [:]
        for set in interacts ? SystemVectors.smallerSets(of: seen) : [] {
            subsets[Set(set.map(\.branch.modality))] = Tensor.concatenated(
                parts(set).map { Self.flat($0.parts) }, axis: 1)
        }
        let whole = parts(seen).map { ($0.branch.modality, Self.flat($0.parts)) }
        return SystemVectors(parts: Dictionary(uniqueKeysWithValues: whole), subsets: subsets)
    }

    func output(_ features: [Modality: Tensor], _ rows: BatchRows) -> SystemOutput {
        let heads = parts(seen(features), rows).map { branch, parts in
            SystemOutput.Head(
                name: branch.modality.rawValue, features: Self.flat(parts), logits: branch.parts.logits(parts),
                rows: rows.rows(of: branch.modality))
        }
        let vectors = heads.compactMap { head in Modality(rawValue: head.name).map { ($0, head.features) } }
        return SystemOutput(heads: heads, embedding: combined(Dictionary(uniqueKeysWithValues: vectors), rows))
    }
}

/// CIM: a modality's own map plus the channel-weighted sum of the others' (IEEE, eq. 1 and 2).
private struct CrossModalInteraction: Sendable {
    private let ownLayer: NormedLinear
    private let restLayer: NormedLinear
    private let squeeze: Linear
    private let excite: Linear

    init(_ scope: ParameterScope, width: Int, ratio: Int) throws {
        ownLayer = try NormedLinear(convolution: scope.scope("own"), inputs: width, outputs: width)
        restLayer = try NormedLinear(convolution: scope.scope("rest"), inputs: width, outputs: width)
        let attention = scope.scope("attention")
        let hidden = width / ratio
        let weight = { (name: String, out: Int, into: Int) in
            try attention.scope(name).parameter("weight", [out, into, 1, 1]).reshaped([out, into])
        }
        squeeze = Linear(attention, weight: try weight("fc1", hidden, width), bias: nil)
        excite = Linear(attention, weight: try weight("fc2", width, hidden), bias: nil)
    }

    /// What a modality's own map [B, H, W, C] brings, whatever the others are.
    func own(_ map: Tensor) -> Tensor { ownLayer(map) }

    /// That and the others' maps, added → one map.
    func callAsFunction(own: Tensor, rest others: Tensor) -> Tensor {
        let r = restLayer(others)
        let flat = r.reshaped([r.shape[0], r.shape[1] * r.shape[2], r.shape[3]])
        // Channel attention (CBAM, Woo et al., 2018).
        let weights = (mlp(flat.mean(axis: 1)) + mlp(flat.largest(axis: 1))).sigmoid()
        let weighted = flat.multiplied(by: weights.adding(1), repeatedAlong: 1)
        if flat.shape[1] == 1 {
            return own + weighted.repeated(own.shape[1] * own.shape[2], axis: 1).reshaped(own.shape)
        }
        return own + weighted.reshaped(r.shape)
    }

    private func mlp(_ x: Tensor) -> Tensor { excite(squeeze(x, activation: .relu)) }
}

/// A map cut into horizontal parts, each related to the whole (REM; IEEE, eq. 3 and 4) and reduced.
private struct PartEmbedding: Sendable {
    private let reduction: NormedLinear
    private let relation: (part: Linear, query: Linear, value: Linear)?
    private let layers: [NormedLinear]
    private let classifiers: [Linear]

    /// - Parameters:
    ///   - under: the modality's scope below a name.
    ///   - identities: of the classifiers, which only training has.
    init(
        _ under: (String) -> ParameterScope, width: Int, _ head: ModelConfiguration.IEEEHead, identities: Int?
    ) throws {
        reduction = try NormedLinear(convolution: under("reduction"), inputs: width, outputs: head.reduced)
        let scope = under("relation")
        let relate = { (name: String) in try Linear(scope.scope(name), inputs: head.reduced, outputs: head.reduced) }
        relation = head.relation ? (try relate("part"), try relate("query"), try relate("value")) : nil
        layers = try (0..<head.parts).map {
            try NormedLinear(
                linear: under("part_layers").scope("\($0)"), inputs: head.reduced, outputs: head.partWidth)
        }
        classifiers =
            try identities.map { identities in
                try (0..<head.parts).map {
                    try Linear(under("classifiers").scope("\($0)"), inputs: head.partWidth, outputs: identities)
                }
            } ?? []
    }

    /// A map [B, H, W, C] → [B, P, part width].
    func callAsFunction(_ map: Tensor) -> Tensor {
        let stripes = reduction(map.stripesAveraged(layers.count))
        let whole = reduction(map.globallyAveraged())
        let embedded = related(stripes, whole)
        let parts = layers.enumerated().map { index, layer in
            let part = layer(embedded.sliced(axis: 1, index..<(index + 1)).mean(axis: 1))
            return part.reshaped([part.shape[0], 1, part.shape[1]])
        }
        return Tensor.concatenated(parts, axis: 1)
    }

    /// part + whole + similarity · value(whole), the similarities a softmax over the parts.
    private func related(_ parts: Tensor, _ whole: Tensor) -> Tensor {
        guard let relation else { return parts }
        let count = parts.shape[1]
        let alike = relation.part(parts).multiplied(by: relation.query(whole), repeatedAlong: 1)
        let similarity = alike.sum(axis: 2).softmax()
        let value = relation.value(whole).repeated(count, axis: 1).multiplied(by: similarity, repeatedAlong: 2)
        return parts + whole.repeated(count, axis: 1) + value
    }

    /// [B, identities] of each part.
    func logits(_ parts: Tensor) -> [Tensor] {
        classifiers.enumerated().map { index, classifier in
            classifier(parts.sliced(axis: 1, index..<(index + 1)).mean(axis: 1))
        }
    }
}
