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

    /// Images [B, H, W, 3] → [B, D]: the class token, or the mean of the last map.
    func feature(_ images: Tensor) -> Tensor {
        switch self {
        case .vit(let network): network.classToken(images)
        case .resnet(let network): network(images).globallyAveraged()
        }
    }
}

extension Tensor {
    /// The first token of each of [B, N, D]: [B, D].
    var classToken: Tensor { sliced(axis: 1, 0..<1).reshaped([shape[0], shape[2]]) }
}
