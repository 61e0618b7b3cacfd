extension ModelConfiguration {
    /// The network that turns one image into features.
    public enum Backbone: Sendable, Equatable {
        case vit(ViT)
        case resnet(ResNet)

        /// Features a token or a pixel of the last map.
        public var width: Int {
            switch self {
            case .vit(let vit): vit.width
            case .resnet(let resnet): resnet.width
            }
        }
    }
}

extension ModelConfiguration.Backbone: Codable {
    private enum Kind: String, CaseIterable, Codable {
        case vit, resnet
    }

    private enum Key: String, CodingKey {
        case kind
    }

    /// Reads the network that `kind` names.
    public init(from decoder: any Decoder) throws {
        switch try decoder.container(keyedBy: Key.self).choice(Kind.self, .kind) {
        case .vit: self = .vit(try ViT(from: decoder))
        case .resnet: self = .resnet(try ResNet(from: decoder))
        }
    }

    /// Writes the network with its `kind`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        switch self {
        case .vit(let vit):
            try container.encode(Kind.vit, forKey: .kind)
            try vit.encode(to: encoder)
        case .resnet(let resnet):
            try container.encode(Kind.resnet, forKey: .kind)
            try resnet.encode(to: encoder)
        }
    }
}
