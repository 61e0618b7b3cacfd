extension ModelConfiguration {
    /// The paths of each block of the backbone, blocks in order; more than one path where a system has several networks
    /// of the same sizes: one a modality, or MixER's two branches.
    public var blockPaths: [[String]] {
        switch backbone {
        case .vit(let vit):
            (0..<vit.depth).map { index in
                if system.name == .mixer, index == vit.depth - 1 { return ["erased.block", "related.block"] }
                return networkPaths.map { "\($0)blocks.\(index)" }
            }
        case .resnet(let resnet):
            resnet.stageBlocks.enumerated().flatMap { stage, count in
                let networks = system.name == .mixer && stage == 3 ? ["erased.", "related."] : networkPaths
                return (0..<count).map { block in networks.map { "\($0)layer\(stage + 1).\(block)" } }
            }
        }
    }

    /// Whether a weight belongs to the backbone: to what turns one image into features.
    public func isOfBackbone(_ path: String) -> Bool {
        let prefixes =
            switch system {
            case .unicat, .fusionConcat, .fusionAverage, .ieee, .graft: networkPaths
            case .mixer: ["backbone.", "erased.", "related."]
            case .dmf: ["patch_embed.", "cls_token", "pos_embed", "blocks.", "norm."]
            }
        return prefixes.contains(where: path.hasPrefix)
    }

    /// The names of a modality's backbones: its own, with the number where there are several.
    func networkNames(_ modality: Modality) -> [String] {
        networks == 1 ? [modality.rawValue] : (0..<networks).map { "\(modality.rawValue).\($0)" }
    }

    /// What comes before a network's own names.
    package var networkPaths: [String] {
        switch system {
        case .unicat, .fusionConcat, .fusionAverage, .ieee:
            modalities.flatMap { networkNames($0) }.map { "encoders.\($0)." }
        case .graft, .mixer: ["backbone."]
        case .dmf: [""]
        }
    }
}
