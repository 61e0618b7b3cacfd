extension ModelConfiguration {
    /// DMF's second input: words.
    public struct DMFHead: Codable, Sendable, Equatable {
        /// The text encoder.
        public struct Text: Codable, Sendable, Equatable {
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
            public init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: CodingKeys.self)
                self.init(
                    vocabulary: try container.decode([String].self, forKey: .vocabulary),
                    width: try container.whole(.width), maxTokens: try container.whole(.maxTokens))
            }
        }

        /// The text encoder.
        public var text: Text

        /// A head with that text encoder.
        public init(text: Text) {
            self.text = text
        }
    }
}
