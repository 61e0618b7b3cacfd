import Tensor

/// Where on its images a model looks.
package struct Explanation: Sendable {
    /// What was asked.
    package enum Kind: String, Sendable, Encodable {
        /// Attention of GraFT's fused tokens to the patches, in the encoder layer of the modality, the mean over its heads.
        case fusionAttention = "fusion_attention"
        /// Attention of the class token to the patches in the last block, the mean over its heads.
        case classAttention = "class_attention"
        /// What each place of the last map adds to the score of a class: Zhou et al., "Learning deep features for discriminative
        /// localization", CVPR 2016, where the map is averaged, and gradient times map for other ends (HiResCAM, Draelos and
        /// Carin, 2020), which is the same there.
        case classActivation = "class_activation"
    }

    /// What was asked.
    package let kind: Kind
    /// [B, rows, columns] by modality, none negative.
    package let maps: [Modality: Tensor]
    /// The trained identity that the classifiers take each of the triples for; of class activation alone.
    package let classes: [Int]?
}

extension ModelConfiguration {
    /// Explains what a model makes of standardised images [B, H, W, 3], at least one modality. Blocks: call it on a compute
    /// thread.
    ///
    /// - Parameter weights: the model's, classifiers included. Throws `WeightsError` if these are not there.
    package func explanation(_ weights: Weights, of images: [Modality: Tensor]) throws -> Explanation {
        let probe = ModelProbe(explainedPaths.values.joined())
        let system = try makeSystem(ParameterScope(weights, mode: .probing(probe)))
        let output = system(images)
        let present = modalities.filter { images[$0] != nil }
        switch backbone {
        case .vit(let vit): return attention(vit, probe, present)
        case .resnet: return activation(output, probe, present)
        }
    }

    /// The places that say something of a modality.
    private var explainedPaths: [Modality: [String]] {
        let layer: (whole: String, branch: String) =
            switch backbone {
            case .vit(let vit): ("blocks.\(vit.depth - 1)", "block")
            case .resnet: ("layer4", "layer4")
            }
        return Dictionary(
            uniqueKeysWithValues: modalities.map { modality in
                switch system {
                case .graft(let head): (modality, [head.fusion.isVanilla ? "encoder" : "encoders.\(modality.rawValue)"])
                case .mixer(let head): (modality, head.branches.map { "\($0.rawValue).\(layer.branch)" })
                case .dmf: (modality, [layer.whole])
                default: (modality, networkNames(modality).map { "encoders.\($0).\(layer.whole)" })
                }
            })
    }

    /// What was seen of each modality: in runs of its own, in one of several runs, or as a part of a batch.
    private func byModality(
        _ present: [Modality], _ seen: (String) -> [Tensor]
    ) -> [Modality: Tensor] {
        let found = present.enumerated().map { place, modality in
            let maps = (explainedPaths[modality] ?? []).flatMap { path -> [Tensor] in
                let all = seen(path)
                switch system {
                case .dmf: return [all[place]]
                case .mixer: return all.map { $0.part(place, of: present.count) }
                default: return all
                }
            }
            return (modality, Tensor.mean(of: maps))
        }
        return Dictionary(uniqueKeysWithValues: found)
    }

    private func attention(_ vit: Backbone.ViT, _ probe: ModelProbe, _ present: [Modality]) -> Explanation {
        let grid = vit.grid(height: input.height, width: input.width)
        let count = grid.rows * grid.columns
        var (first, step, isFusion) = (vit.prefix, 0, false)
        if case .graft(let head) = system {
            isFusion = true
            first += head.fusionTokens
            // One layer sees all modalities' tokens, one after the other.
            step = head.fusion.isVanilla ? vit.prefix + count : 0
        }
        let seen = byModality(present, probe.attention(at:))
        let maps = present.enumerated().compactMap { place, modality -> (Modality, Tensor)? in
            guard let all = seen[modality] else { return nil }
            // Of the tokens that are the embedding, [B, N].
            let looks = all.sliced(axis: 1, embeddedTokens(of: all.shape[1])).mean(axis: 1)
            let start = first + place * step
            let own = looks.sliced(axis: 1, start..<(start + count))
            return (modality, own.reshaped([own.shape[0], grid.rows, grid.columns]))
        }
        return Explanation(
            kind: isFusion ? .fusionAttention : .classAttention, maps: Dictionary(uniqueKeysWithValues: maps),
            classes: nil)
    }

    /// The tokens whose results are the embedding, among so many.
    private func embeddedTokens(of count: Int) -> Range<Int> {
        guard case .graft(let head) = system else { return 0..<1 }
        return switch head.fusion {
        case .token, .vanillaCLS: 0..<head.fusionTokens
        case .cls: head.fusionTokens..<(head.fusionTokens + 1)
        case .average, .vanillaAverage: head.fusionTokens..<count
        }
    }

    private func activation(_ output: SystemOutput, _ probe: ModelProbe, _ present: [Modality]) -> Explanation {
        let scores = scores(output, modalities: present.count)
        let classes = Self.largest(scores)
        let gradients = gradients(of: scores.picked(at: classes).sum())
        let maps = byModality(present) { probe.activations(at: $0, gradients) }
        return Explanation(kind: .classActivation, maps: maps, classes: classes)
    }

    /// The classifiers' scores of each triple, [B, identities], all that tell identities added.
    private func scores(_ output: SystemOutput, modalities count: Int) -> Tensor {
        guard system.name == .mixer else {
            return output.heads.flatMap(\.logits).dropFirst().reduce(output.heads[0].logits[0], +)
        }
        let all = output.head("fused").logits[0]
        return (1..<count).reduce(all.part(0, of: count)) { $0 + all.part($1, of: count) }
    }

    private static func largest(_ scores: Tensor) -> [Int] {
        let (width, values) = (scores.shape[1], scores.scalars)
        return (0..<scores.shape[0]).map { row in
            let own = values[(row * width)..<((row + 1) * width)]
            return (own.indices.max { own[$0] < own[$1] } ?? own.startIndex) - own.startIndex
        }
    }
}

extension Tensor {
    /// One of some equal parts of a batch.
    fileprivate func part(_ place: Int, of count: Int) -> Tensor {
        let batch = shape[0] / count
        return sliced(axis: 0, (place * batch)..<((place + 1) * batch))
    }
}
