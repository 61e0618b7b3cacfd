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
