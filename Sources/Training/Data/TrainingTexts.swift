import Documents
import Foundation
import Inference

/// Descriptions of identities, for a system that reads texts.
struct TrainingTexts: Sendable {
    /// What index 0 of a vocabulary is: no word.
    static let padding = "<pad>"

    /// In the order of their identities.
    let captions: [String]
    /// The classifier's index of each caption's identity.
    let labels: [Int]

    /// The captions of the identities that are learned from.
    init(_ captions: [String: [String]], identities: [String]) {
        let pairs = identities.enumerated().flatMap { label, identity in
            (captions[identity] ?? []).map { (caption: $0, label: label) }
        }
        self.captions = pairs.map(\.caption)
        labels = pairs.map(\.label)
    }

    /// Every word of the captions, sorted, after the padding.
    var vocabulary: [String] { [Self.padding] + Set(captions.flatMap(TextReader.words)).sorted() }
}

extension TriplesDataset {
    /// A split's descriptions by identity: `<split>/text/<identity>.txt`, a caption a line; empty if there are none. Throws
    /// `DatasetError.unreadableFile`.
    public func captions(_ split: Split) throws(DatasetError) -> [String: [String]] {
        let folder = root.appendingPathComponent("\(split.rawValue)/text")
        var captions: [String: [String]] = [:]
        for url in Folder.files(in: folder, ["txt"]) {
            let text: String
            do {
                text = try String(contentsOf: url, encoding: .utf8)
            } catch {
                throw .unreadableFile(url.path, error.localizedDescription)
            }
            let lines = text.split(whereSeparator: \.isNewline).map(String.init)
            captions[url.deletingPathExtension().lastPathComponent] = lines.filter { !TextReader.words($0).isEmpty }
        }
        return captions
    }
}

extension ModelConfiguration {
    /// Gives a model that reads texts, and says no words itself, those of the model that it starts from, in their order, and then
    /// those of the texts that it will see: so what was learnt of words is kept by a training on images alone.
    ///
    /// Throws `DocumentError.invalid` where the text encoder has other sizes than that of the model that it starts from, as its
    /// words would be lost.
    mutating func learnVocabulary(_ texts: TrainingTexts, from initial: ModelConfiguration?) throws(DocumentError) {
        guard case .dmf(var head) = system, head.text.vocabulary == [TrainingTexts.padding] else { return }
        head.text.vocabulary = texts.vocabulary
        if case .dmf(let old)? = initial?.system, old.text.vocabulary.count > 1 {
            try head.text.checkSizes(old.text)
            let known = Set(old.text.vocabulary.map { $0.lowercased() })
            head.text.vocabulary = old.text.vocabulary + texts.vocabulary.dropFirst().filter { !known.contains($0) }
        }
        system = .dmf(head)
    }
}

extension ModelConfiguration.DMFHead.Text {
    fileprivate func checkSizes(_ old: Self) throws(DocumentError) {
        let sizes = [("width", width, old.width), ("max_tokens", maxTokens, old.maxTokens)]
        guard let (name, found, expected) = sizes.first(where: { $1 != $2 }) else { return }
        throw .invalid(
            field: "model.head.text.\(name)", expected: "\(expected), as the model that is started from has",
            found: "\(found)")
    }
}
