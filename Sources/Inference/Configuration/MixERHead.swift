import Documents

extension ModelConfiguration {
    /// What of MixER's two branches an embedding is made of. A configuration without a `head` has the paper's.
    public struct MixERHead: Encodable, Sendable, Equatable {
        /// The features of an embedding.
        public enum Features: String, CaseIterable, Encodable, Sendable {
            /// Erased and related, side by side: the paper's choice.
            case both
            /// The modality-erased alone.
            case erased
            /// The modality-related alone.
            case related
        }

        /// How both features become one (MixER, Table B.5).
        public enum Fusion: String, CaseIterable, Encodable, Sendable {
            /// Side by side: the paper's choice.
            case concatenation
            /// The same, after each branch's map has asked the other's by attention.
            case crossAttention = "cross_attention"
        }

        /// What an embedding is made of.
        public var embedding: Features
        /// How both become one.
        public var fusion: Fusion

        /// The paper's unless told otherwise.
        public init(embedding: Features = .both, fusion: Fusion = .concatenation) {
            (self.embedding, self.fusion) = (embedding, fusion)
        }

        /// Reads the section, of which nothing is required.
        init(_ fields: inout Fields) throws(DocumentError) {
            self.init(
                embedding: try fields.read("embedding", .choice) ?? .both,
                fusion: try fields.read("fusion", .choice) ?? .concatenation)
        }

        /// Heads of the cross-attention, which has a quarter of the features.
        static let attentionHeads = 8

        /// Features of a query, a key and a value of the cross-attention between branches of a width.
        static func attentionWidth(_ width: Int) -> Int { width / 4 }

        /// Which branches serving runs.
        var branches: [Features] { embedding == .both ? [.erased, .related] : [embedding] }

        /// Throws `DocumentError.invalid` if the branches, of that many features, cannot be fused so.
        func validate(width: Int) throws(DocumentError) {
            guard fusion == .crossAttention else { return }
            guard embedding == .both else {
                throw .invalid(
                    field: "head.embedding", expected: "both for fusion cross_attention", found: embedding.rawValue)
            }
            guard width.isMultiple(of: 4 * Self.attentionHeads) else {
                throw .invalid(
                    field: "backbone.width",
                    expected: "a multiple of \(4 * Self.attentionHeads) for head.fusion cross_attention",
                    found: "\(width)")
            }
        }
    }
}
