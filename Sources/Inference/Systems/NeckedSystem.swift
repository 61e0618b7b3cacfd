import Tensor

/// A system whose embeddings are what its BNNeck makes of the features: each element less its running mean, divided by its running
/// deviation, times the neck's weight (Luo et al., 2019; `NECK_FEAT: after` of the toolboxes). Features have a part that all images
/// share, as no loss tells it from none: the classifier sees what the neck leaves, and the triplet loss differences. In cosines of
/// features that part is most of every score; after the neck it is gone.
///
/// A neck is affine, so the mean over modalities of what it makes is what it makes of the mean, and of a neck over blocks each
/// modality has its own piece.
struct NeckedSystem<Base: EncodingSystem>: EncodingSystem {
    /// factor·x + shift, under the running statistics.
    private struct Neck: Sendable {
        let factor: Tensor
        let shift: Tensor

        func callAsFunction(_ x: Tensor) -> Tensor { x * factor + shift }
    }

    private let base: Base
    /// Of each modality's vectors.
    private let necks: [Modality: Neck]

    var dimension: Int { base.dimension }
    var combination: Combination { base.combination }
    var modalities: [Modality] { base.modalities }
    var interacts: Bool { base.interacts }

    /// - Parameters:
    ///   - base: what makes the features, of the same scope.
    ///   - configuration: of a system with necks.
    init(_ base: Base, _ configuration: ModelConfiguration, _ scope: ParameterScope) throws {
        self.base = base
        let folded = { (name: String, width: Int) in
            try BatchNorm(scope.scope(name), width: width, trainsBias: false).folded
        }
        if configuration.system == .unicat {
            let own = try configuration.modalities.map { modality in
                let members = try configuration.networkNames(modality).map {
                    try folded("necks.\($0)", configuration.backbone.width)
                }
                let joined = { (part: [Tensor]) in part.count == 1 ? part[0] : Tensor.concatenated(part, axis: 0) }
                return (modality, Neck(factor: joined(members.map(\.factor)), shift: joined(members.map(\.shift))))
            }
            necks = Dictionary(uniqueKeysWithValues: own)
            return
        }
        let (factor, shift) = try folded("neck", base.dimension)
        let blocks = base.combination == .blocks ? base.modalities.count : 1
        let width = base.dimension / blocks
        let own = base.modalities.enumerated().map { place, modality in
            let range = (place % blocks * width)..<((place % blocks + 1) * width)
            return (
                modality, Neck(factor: factor.sliced(axis: 0, range), shift: shift.sliced(axis: 0, range))
            )
        }
        necks = Dictionary(uniqueKeysWithValues: own)
    }

    /// Of systems of one space, whose modalities have the same neck.
    private func necked(_ x: Tensor) -> Tensor { necks[modalities[0]]?(x) ?? x }

    private func necked(_ vectors: [Modality: Tensor]) -> [Modality: Tensor] {
        vectors.reduce(into: [:]) { $0[$1.key] = necks[$1.key]?($1.value) }
    }

    func vectors(_ images: [Modality: Tensor]) -> [Modality: Tensor] { necked(base.vectors(images)) }

    func encode(_ images: [Modality: Tensor]) -> SystemVectors {
        let encoded = base.encode(images)
        // Systems whose modalities give each other something have one space, or no neck.
        return SystemVectors(parts: necked(encoded.parts), subsets: encoded.subsets.mapValues(necked))
    }

    func embed(_ images: [Modality: Tensor], _ rows: BatchRows?) -> Tensor {
        switch combination {
        case .sum: necked(base.embed(images, rows))
        case .blocks: combined(vectors(images), rows)
        }
    }

    func features(_ images: [Modality: Tensor]) -> [Modality: Tensor] { base.features(images) }

    /// Losses are on what the base makes; only the embedding is another.
    func output(_ features: [Modality: Tensor], _ rows: BatchRows) -> SystemOutput {
        var output = base.output(features, rows)
        output.embedding = embedding(output.embedding, Set(features.keys), rows)
        return output
    }

    private func embedding(_ whole: Tensor, _ present: Set<Modality>, _ rows: BatchRows) -> Tensor {
        guard combination == .blocks else { return necked(whole) }
        let width = dimension / modalities.count
        let blocks = modalities.enumerated().map { place, modality -> (Modality, Tensor) in
            (modality, whole.sliced(axis: 1, (place * width)..<((place + 1) * width)).rows(at: rows.rows(of: modality)))
        }
        return combined(necked(Dictionary(uniqueKeysWithValues: blocks.filter { present.contains($0.0) })), rows)
    }
}

extension NeckedSystem: TextEncodingSystem where Base: TextEncodingSystem {
    func embed(texts: [[Int]]) -> Tensor { necked(base.embed(texts: texts)) }

    func callAsFunction(texts: [[Int]]) -> SystemOutput {
        var output = base(texts: texts)
        output.embedding = necked(output.embedding)
        return output
    }
}

extension EncodingSystem {
    /// This system with its embeddings taken after its neck. Throws `WeightsError`.
    func afterNeck(_ configuration: ModelConfiguration, _ scope: ParameterScope) throws -> any EncodingSystem {
        try NeckedSystem(self, configuration, scope)
    }
}
