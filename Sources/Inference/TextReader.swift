/// Turns a text into indices of a vocabulary: lower case, split at everything that is no letter or digit, words that the
/// model does not know left out.
package struct TextReader: Sendable {
    private let indices: [String: Int]
    private let maxTokens: Int

    /// Index 0 of the vocabulary pads and is no word.
    package init(_ text: ModelConfiguration.DMFHead.Text) {
        let words = text.vocabulary.enumerated().dropFirst().map { ($1.lowercased(), $0) }
        indices = Dictionary(words) { first, _ in first }
        maxTokens = text.maxTokens
    }

    /// The words of a text, known or not.
    package static func words(_ text: String) -> [String] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
    }

    /// The first known words, as many as the model reads. Throws `EncoderError.unknownWords` if there are none.
    package func tokens(_ text: String) throws(EncoderError) -> [Int] {
        let known = Self.words(text).compactMap { indices[$0] }
        guard !known.isEmpty else { throw .unknownWords(text: text) }
        return Array(known.prefix(maxTokens))
    }
}
