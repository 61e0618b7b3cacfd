import Foundation
import Inference

/// RegDB (Nguyen et al., 2017): people by one visible and one thermal camera; ten divisions, each for a model of its own.
struct RegDBLayout: DatasetLayout {
    /// 1 to 10.
    let trial: Int
    let name = "regdb"
    let signature = "idx/{train,test}_{visible,thermal}_{1..10}.txt with lines '<path> <label>'"
    let modalities: [Modality] = [.rgb, .tir]
    let isPaired = false
    /// Labels are counted from 0 in each list.
    let namesAreShared = false
    let rule = RetrievalProtocol.everything

    private func list(_ part: String, _ modality: Modality, _ root: URL) -> URL {
        let kind = modality == .rgb ? "visible" : "thermal"
        return root.appendingPathComponent("idx/\(part)_\(kind)_\(trial).txt")
    }

    func isLaidOut(in root: URL) -> Bool {
        modalities.contains { Folder.exists(list("train", $0, root)) || Folder.exists(list("test", $0, root)) }
    }

    /// Queries are visible, the gallery is thermal.
    func list(_ split: TriplesDataset.Split, in root: URL) throws(DatasetError) -> SplitListing {
        var listing = SplitListing()
        for modality in split == .train ? modalities : split == .query ? [.rgb] : [.tir] {
            let list = list(split == .train ? "train" : "test", modality, root)
            for line in try ListFile.lines(list) {
                listing.addListed(
                    root.appendingPathComponent(line.path), modality, name: line.name,
                    .init(identity: line.label, camera: modality == .rgb ? 1 : 2), list: list)
            }
        }
        return listing
    }

    func tasks(of dataset: TriplesDataset) throws(DatasetError) -> [RetrievalTask] {
        let (visible, thermal) = (try dataset.sightings(.query), try dataset.sightings(.gallery))
        return [("rgb to tir", visible, thermal), ("tir to rgb", thermal, visible)].map {
            RetrievalTask(name: $0.0, queries: $0.1, galleries: [$0.2], rule: rule)
        }
    }

    func mixedTasks(of dataset: TriplesDataset) throws(DatasetError) -> [RetrievalTask] {
        RetrievalTask.mixed([("rgb", try dataset.sightings(.query)), ("tir", try dataset.sightings(.gallery))])
    }
}

/// Lists of images as RegDB and LLCM have them: `<path> <label>`, one a line.
enum ListFile {
    struct Line {
        let path: String
        let label: String
        /// The path without its extension.
        var name: String { (path as NSString).deletingPathExtension }
    }

    /// A file's text. Throws `DatasetError.unreadableFile`.
    static func text(_ url: URL) throws(DatasetError) -> String {
        do {
            return try String(contentsOf: url, encoding: .utf8)
        } catch {
            throw .unreadableFile(url.path, error.localizedDescription)
        }
    }

    static func lines(_ url: URL) throws(DatasetError) -> [Line] {
        var lines: [Line] = []
        let all = try text(url).split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in all.enumerated() where !line.allSatisfy(\.isWhitespace) {
            let fields = line.split(whereSeparator: \.isWhitespace)
            guard fields.count == 2, Int(fields[1]) != nil else {
                throw .unreadableLine(
                    url.path, line: index + 1, expected: "'<path> <label>', the label a number", found: "'\(line)'")
            }
            lines.append(Line(path: String(fields[0]), label: String(fields[1])))
        }
        return lines
    }
}
