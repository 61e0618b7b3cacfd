/// Why a triple cannot be encoded, or an encoder not be built.
public enum EncoderError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A triple without images.
    case noModality(expected: [Modality])
    /// A modality that the model was not built for.
    case unknownModality(found: Modality, expected: [Modality])
    /// Tensors whose shapes do not fit the model or each other.
    case wrongInput(name: String, expected: String, found: String)
    /// A text for a model that reads none.
    case noText
    /// A text of which the model knows no word.
    case unknownWords(text: String)
    /// A model that this version cannot build.
    case unsupported(String)
    /// The model answers with something that is not a vector: weights or input are not sound.
    case notFinite

    /// What was expected and what was found.
    public var description: String {
        switch self {
        case .noModality(let expected): "no image: expected at least one of \(Self.list(expected))"
        case .unknownModality(let found, let expected):
            "modality \(found.rawValue) is not one of the model's: \(Self.list(expected))"
        case .wrongInput(let name, let expected, let found): "input \(name): expected \(expected), found \(found)"
        case .noText: "the model reads images only: expected no text"
        case .unknownWords(let text): "expected a word of the model's vocabulary, found none in \"\(text.prefix(200))\""
        case .unsupported(let what): "unsupported: \(what)"
        case .notFinite: "the embedding has elements that are not finite"
        }
    }

    private static func list(_ modalities: [Modality]) -> String {
        modalities.map(\.rawValue).joined(separator: ", ")
    }
}
