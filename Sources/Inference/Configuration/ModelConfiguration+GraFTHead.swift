extension ModelConfiguration {
    /// GraFT's fusion layers: one post-norm transformer layer a modality.
    public struct GraFTHead: Codable, Sendable, Equatable {
        /// Which tokens of a fusion layer's output make the embedding (GraFT, Table 5).
        public enum Fusion: String, CaseIterable, Codable, Sendable {
            /// The learned fusion tokens: the paper's choice.
            case token
            /// The class token.
            case cls
            /// The mean of all data tokens.
            case average
        }

        /// Learned fusion tokens.
        public var fusionTokens: Int
        /// Attention heads of a fusion layer; divides the backbone's width.
        public var heads: Int
        /// Width of a fusion layer's hidden layer.
        public var feedforward: Int
        /// Probability of dropping an activation in training.
        public var dropout: Float
        /// What makes the embedding.
        public var fusion: Fusion

        /// Fusion layers of the paper's size unless told otherwise.
        public init(
            fusionTokens: Int = 1, heads: Int = 8, feedforward: Int = 2048, dropout: Float = 0.1,
            fusion: Fusion = .token
        ) {
            self.fusionTokens = fusionTokens
            self.heads = heads
            self.feedforward = feedforward
            self.dropout = dropout
            self.fusion = fusion
        }

        private enum CodingKeys: String, CodingKey {
            case heads, feedforward, dropout, fusion
            case fusionTokens = "fusion_tokens"
        }

        /// Reads the section; only `heads` and `feedforward` are required.
        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            self.init(
                fusionTokens: try container.whole(.fusionTokens, absent: 1),
                heads: try container.whole(.heads),
                feedforward: try container.whole(.feedforward),
                dropout: Float(try container.number(.dropout, absent: 0.1)),
                fusion: container.contains(.fusion) ? try container.choice(Fusion.self, .fusion) : .token)
        }
    }
}
