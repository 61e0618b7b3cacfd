extension ModelConfiguration {
    /// IEEE's cross-modal interaction and relation-based embedding.
    public struct IEEEHead: Codable, Sendable, Equatable {
        /// Horizontal parts.
        public var parts: Int
        /// Channels after the reduction.
        public var reduced: Int
        /// Features a part and modality in the descriptor.
        public var partWidth: Int
        /// Channel attention's squeeze (CBAM, Woo et al. 2018).
        public var attentionRatio: Int
        /// Whether modalities interact before they are cut into parts (CIM).
        public var interaction: Bool
        /// Whether parts are related to the whole (REM).
        public var relation: Bool

        /// A head of the paper's size unless told otherwise.
        public init(
            parts: Int = 6, reduced: Int = 768, partWidth: Int = 128, attentionRatio: Int = 16,
            interaction: Bool = true, relation: Bool = true
        ) {
            self.parts = parts
            self.reduced = reduced
            self.partWidth = partWidth
            self.attentionRatio = attentionRatio
            self.interaction = interaction
            self.relation = relation
        }

        private enum CodingKeys: String, CodingKey {
            case parts, reduced, interaction, relation
            case partWidth = "part_width"
            case attentionRatio = "attention_ratio"
        }

        /// Reads the section; everything is required but for `interaction` and `relation`.
        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            self.init(
                parts: try container.whole(.parts), reduced: try container.whole(.reduced),
                partWidth: try container.whole(.partWidth), attentionRatio: try container.whole(.attentionRatio),
                interaction: try container.decodeIfPresent(Bool.self, forKey: .interaction) ?? true,
                relation: try container.decodeIfPresent(Bool.self, forKey: .relation) ?? true)
        }
    }
}
