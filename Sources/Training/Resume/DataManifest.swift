import Crypto
import Dispatch
import Documents
import Foundation
import Inference
import Synchronization

/// The files of a training split, a line each: what tells whether a data set is still the one that a run began with, byte for byte.
package struct DataManifest: Equatable {
    /// One file.
    private struct Entry: Equatable {
        /// Within the data set.
        let name: String
        let bytes: Int
        /// SHA-256 of its bytes, in hexadecimal.
        let digest: String

        var description: String { "\(bytes) bytes with SHA-256 \(digest.prefix(12))…" }
    }

    /// Of the run folder's file.
    static let file = "data.txt"
    /// By name.
    private let entries: [Entry]

    /// Reads every byte that a run will read, on all cores. O(bytes): about what reading the files costs. Throws `DatasetError`
    /// naming a file.
    package init(_ dataset: TriplesDataset, _ recipe: Recipe) throws {
        var urls = try TrainingSplit(dataset, recipe).all.flatMap { sighting in
            recipe.model.modalities.compactMap { sighting.files[$0]?.url }
        }
        if recipe.readsTexts {
            urls += Folder.files(in: dataset.root.appendingPathComponent("train/text"), ["txt"])
        }
        // A strip is the file of several images.
        entries = try Self.entries(of: Array(Set(urls)), below: dataset.root).sorted { $0.name < $1.name }
    }

    private static func entries(of urls: [URL], below root: URL) throws -> [Entry] {
        let prefix = root.standardizedFileURL.resolvingSymlinksInPath().path + "/"
        let found = Mutex([Result<Entry, DatasetError>]())
        DispatchQueue.concurrentPerform(iterations: urls.count) { index in
            let result = Result { () throws(DatasetError) -> Entry in
                let bytes = try ImageFileReader.bytes(of: urls[index])
                let path = urls[index].resolvingSymlinksInPath().path
                let name = path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : urls[index].lastPathComponent
                return Entry(name: name, bytes: bytes.count, digest: SHA256.hash(data: bytes).hexadecimal)
            }
            found.withLock { $0.append(result) }
        }
        return try found.withLock { $0 }.map { try $0.get() }
    }

    /// Reads what a run has written.
    init(text: String) {
        entries = text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ", maxSplits: 2)
            guard fields.count == 3, let bytes = Int(fields[1]) else { return nil }
            return Entry(name: String(fields[2]), bytes: bytes, digest: String(fields[0]))
        }
    }

    /// SHA-256 of what is written, in hexadecimal.
    package var fingerprint: String { SHA256.hash(data: Data(text.utf8)).hexadecimal }

    /// As it is written: digest, bytes and name of each.
    var text: String { entries.map { "\($0.digest) \($0.bytes) \($0.name)\n" }.joined() }

    /// Throws `TrainingError.differs` with the first file that another data set lacks, has more, or has with other bytes.
    func check(_ other: DataManifest) throws {
        if self == other { return }
        let (own, found) = (byName, other.byName)
        if let missing = entries.first(where: { found[$0.name] == nil }) {
            throw TrainingError.differs("data", expected: missing.name, found: "no such file")
        }
        if let added = other.entries.first(where: { own[$0.name] == nil }) {
            throw TrainingError.differs("data", expected: "no more than \(entries.count) files", found: added.name)
        }
        for entry in entries {
            guard let changed = found[entry.name], changed != entry else { continue }
            throw TrainingError.differs(
                "data, \(entry.name)", expected: entry.description, found: changed.description)
        }
    }

    private var byName: [String: Entry] { Dictionary(entries.map { ($0.name, $0) }) { first, _ in first } }
}
