import Tensor

/// A backbone as a late-fusion system sees it: one vector an image.
enum FeatureBackbone: Sendable {
    case vit(VisionTransformer)
    case resnet(ResNet)

    init(_ scope: ParameterScope, _ configuration: ModelConfiguration) throws {
        let (height, width) = (configuration.input.height, configuration.input.width)
        self =
            switch configuration.backbone {
            case .vit(let vit): .vit(try VisionTransformer(scope, vit, height: height, width: width))
            case .resnet(let resnet): .resnet(try ResNet(scope, resnet, height: height, width: width))
            }
    }

    /// Whether any of its layers has packed weights of fewer than 32 bits.
    var isNarrow: Bool {
        switch self {
        case .vit(let network): network.isNarrow
        case .resnet(let network): network.isNarrow
        }
    }

    /// Images [B, H, W, 3] → [B, D]: the class token, or the mean of the last map.
    func feature(_ images: Tensor) -> Tensor {
        switch self {
        case .vit(let network): network.classToken(images)
        case .resnet(let network): network(images).globallyAveraged()
        }
    }
}

extension Tensor {
    /// What a narrow network makes of images [B, ...], a few at a time: with whole batches what goes from layer to layer does not
    /// fit in caches, and narrow layers then wait for memory, not for products. Where there are enough of them each thread has its
    /// own, which stay in its core's cache, and waits for no other between layers. A float32 network takes all at once.
    func encoded(narrowly isNarrow: Bool, _ network: (Tensor) -> Tensor) -> Tensor {
        // An image of 256 × 128 goes alone; smaller ones would each wait for the threads to meet after every layer.
        let numbers = 1 << 17
        let together = min(4, max(1, numbers * shape[0] / max(count, 1)))
        guard isNarrow, shape[0] > together else { return network(self) }
        let parts = Tensor.sideBySide((shape[0] + together - 1) / together) { part in
            network(sliced(axis: 0, (part * together)..<min((part + 1) * together, shape[0])))
        }
        return Tensor.concatenated(parts, axis: 0)
    }

    /// The first token of each of [B, N, D]: [B, D].
    var classToken: Tensor { sliced(axis: 1, 0..<1).reshaped([shape[0], shape[2]]) }
}

extension Dictionary where Key == Modality, Value == Tensor {
    /// What a network of each modality's own makes of images, in their order. Narrow networks go side by side, as many as there are
    /// threads: their layers are so short that threads which share one wait for each other about as long as they work.
    init(_ modalities: [Modality], narrowly isNarrow: Bool, _ network: (Int) -> Tensor) {
        let results =
            isNarrow ? Tensor.sideBySide(modalities.count, network) : modalities.indices.map(network)
        self.init(uniqueKeysWithValues: zip(modalities, results))
    }
}
