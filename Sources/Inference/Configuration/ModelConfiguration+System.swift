import Documents

extension ModelConfiguration {
    /// Which system a model is, with the sizes that only this system has.
    public enum System: Sendable, Equatable {
        case unicat
        case fusionConcat
        case fusionAverage
        case graft(GraFTHead)
        case ieee(IEEEHead)
        case mixer(MixERHead = MixERHead())
        case dmf(DMFHead)

        /// The systems' names in a configuration.
        public enum Name: String, CaseIterable, Encodable, Sendable {
            case unicat
            case fusionConcat = "fusion_concat"
            case fusionAverage = "fusion_average"
            case graft
            case ieee
            case mixer
            case dmf
        }

        /// The system's name.
        public var name: Name {
            switch self {
            case .unicat: .unicat
            case .fusionConcat: .fusionConcat
            case .fusionAverage: .fusionAverage
            case .graft: .graft
            case .ieee: .ieee
            case .mixer: .mixer
            case .dmf: .dmf
            }
        }
    }

    /// GraFT's fusion layers: one post-norm transformer layer a modality, or one for all.
    public struct GraFTHead: Encodable, Sendable, Equatable {
        /// Which tokens of which layers make the embedding (GraFT, Table 5).
        public enum Fusion: String, CaseIterable, Encodable, Sendable {
            /// The learned fusion tokens: the paper's choice.
            case token
            /// The class token.
            case cls
            /// The mean of all data tokens.
            case average
            /// The paper's vanilla fusion: one layer over the learned tokens and the data tokens of all modalities. The learned
            /// tokens, there called CLS.
            case vanillaCLS = "vanilla_cls"
            /// Of the same layer the mean of all data tokens.
            case vanillaAverage = "vanilla_average"

            /// Whether one layer sees all modalities.
            public var isVanilla: Bool { self == .vanillaCLS || self == .vanillaAverage }
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
        init(_ fields: inout Fields) throws(DocumentError) {
            self.init(
                fusionTokens: try fields.read("fusion_tokens", .integer) ?? 1,
                heads: try fields.require("heads", .integer), feedforward: try fields.require("feedforward", .integer),
                dropout: Float(try fields.read("dropout", .number) ?? 0.1),
                fusion: try fields.read("fusion", .choice) ?? .token)
        }
    }

    /// IEEE's cross-modal interaction and relation-based embedding.
    public struct IEEEHead: Encodable, Sendable, Equatable {
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
        init(_ fields: inout Fields) throws(DocumentError) {
            self.init(
                parts: try fields.require("parts", .integer), reduced: try fields.require("reduced", .integer),
                partWidth: try fields.require("part_width", .integer),
                attentionRatio: try fields.require("attention_ratio", .integer),
                interaction: try fields.bool("interaction") ?? true, relation: try fields.bool("relation") ?? true)
        }
    }

    /// DMF's second input: words.
    public struct DMFHead: Encodable, Sendable, Equatable {
        /// The text encoder.
        public struct Text: Encodable, Sendable, Equatable {
            /// The words that the encoder knows, by index; index 0 pads.
            public var vocabulary: [String]
            /// Features a word, before translation to the backbone's width.
            public var width: Int
            /// Words read of a text.
            public var maxTokens: Int

            /// A text encoder over these words.
            public init(vocabulary: [String], width: Int, maxTokens: Int) {
                self.vocabulary = vocabulary
                self.width = width
                self.maxTokens = maxTokens
            }

            private enum CodingKeys: String, CodingKey {
                case vocabulary, width
                case maxTokens = "max_tokens"
            }

            /// Reads the section; everything is required.
            init(_ fields: inout Fields) throws(DocumentError) {
                self.init(
                    vocabulary: try fields.require("vocabulary", .strings),
                    width: try fields.require("width", .integer),
                    maxTokens: try fields.require("max_tokens", .integer))
                try fields.finish()
            }
        }

        /// The text encoder.
        public var text: Text

        /// A head with that text encoder.
        public init(text: Text) {
            self.text = text
        }

        /// Reads the section.
        init(_ fields: inout Fields) throws(DocumentError) {
            var section = try fields.requireObject("text")
            self.init(text: try Text(&section))
        }
    }
}

extension ModelConfiguration.System {
    /// Reads what `system` names, with its `head` if it has one.
    init(_ fields: inout Fields) throws(DocumentError) {
        switch try fields.require("system", FieldKind<Name>.choice) {
        case .unicat: self = .unicat
        case .fusionConcat: self = .fusionConcat
        case .fusionAverage: self = .fusionAverage
        case .mixer: self = .mixer(try Self.mixerHead(&fields))
        case .graft: self = .graft(try Self.head(&fields) { head throws(DocumentError) in try .init(&head) })
        case .ieee: self = .ieee(try Self.head(&fields) { head throws(DocumentError) in try .init(&head) })
        case .dmf: self = .dmf(try Self.head(&fields) { head throws(DocumentError) in try .init(&head) })
        }
    }

    /// The paper's if there is none, as of every configuration before there was a choice.
    private static func mixerHead(
        _ fields: inout Fields
    ) throws(DocumentError) -> ModelConfiguration.MixERHead {
        guard fields.value("head") != nil else { return .init() }
        return try head(&fields) { head throws(DocumentError) in try .init(&head) }
    }

    private static func head<Head>(
        _ fields: inout Fields, _ read: (inout Fields) throws(DocumentError) -> Head
    ) throws(DocumentError) -> Head {
        var section = try fields.requireObject("head")
        let head = try read(&section)
        try section.finish()
        return head
    }
}
