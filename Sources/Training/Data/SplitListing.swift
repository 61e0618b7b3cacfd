import Foundation
import Inference

/// What names and lists say of a split: its sightings by name, and what is wrong.
public struct SplitListing: Sendable {
    /// Who was seen where, by the name of an image.
    struct Passage {
        let identity: String
        let camera: Int
        var scene: String?
    }

    /// How a layout names its images.
    struct NamePattern: Sendable {
        /// A name of that kind, for messages.
        let example: String
        /// Reads a name without its extension; nil if it is not of that kind.
        let passage: @Sendable (String) -> Passage?
    }

    private var found: [String: TriplesDataset.Sighting] = [:]
    /// Of these, `misnamed`, `twice` and `absent`.
    public private(set) var problems: [DatasetProblem] = []

    /// Sorted by name.
    public var sightings: [TriplesDataset.Sighting] { found.values.sorted { $0.name < $1.name } }

    /// Adds the image of one modality to the sighting of a name.
    mutating func add(_ file: ImageFile, _ modality: Modality, name: String, _ passage: Passage) {
        // What was detected by mistake in Market-1501 and what descends from it: neither learned from nor ranked.
        guard passage.identity != "-1" else { return }
        var files = found[name]?.files ?? [:]
        if let other = files[modality] {
            return note(
                .twice, file.url.path,
                "expected one \(modality.rawValue) image of \(name), found \(other.url.lastPathComponent) as well")
        }
        files[modality] = file
        found[name] = TriplesDataset.Sighting(
            name: name, identity: passage.identity, camera: passage.camera, scene: passage.scene, files: files)
    }

    /// Notes what is wrong.
    mutating func note(_ kind: DatasetProblem.Kind, _ subject: String, _ message: String) {
        problems.append(DatasetProblem(kind: kind, subject: subject, message: message))
    }

    /// Adds a file that a list names, if it is there.
    mutating func addListed(_ url: URL, _ modality: Modality, name: String, _ passage: Passage, list: URL) {
        guard Folder.exists(url) else {
            return note(.absent, url.path, "expected a file, as \(list.lastPathComponent) lists it, found none")
        }
        add(ImageFile(url), modality, name: name, passage)
    }

    /// Adds the images of folders, one a modality, that have the same name in each.
    ///
    /// - Parameter prefix: before the names, where these are unique in their folders only.
    mutating func add(_ folders: [(Modality, URL)], prefix: String = "", _ pattern: NamePattern) {
        for (modality, folder) in folders {
            for url in Folder.images(in: folder) {
                guard let (name, passage) = read(url, pattern) else { continue }
                add(ImageFile(url), modality, name: prefix + name, passage)
            }
        }
    }

    /// Adds the images of a folder that show several modalities side by side, from the left.
    mutating func add(strips folder: URL, _ modalities: [Modality], _ pattern: NamePattern) {
        for url in Folder.images(in: folder) {
            guard let (name, passage) = read(url, pattern) else { continue }
            for (index, modality) in modalities.enumerated() {
                let tile = ImageFile.Tile(index: index, count: modalities.count)
                add(ImageFile(url, tile: tile), modality, name: name, passage)
            }
        }
    }

    private mutating func read(_ url: URL, _ pattern: NamePattern) -> (name: String, passage: Passage)? {
        let name = url.deletingPathExtension().lastPathComponent
        if let passage = pattern.passage(name) { return (name, passage) }
        note(.misnamed, url.path, "expected a name such as \(pattern.example), found \(url.lastPathComponent)")
        return nil
    }
}

/// Folders as data sets have them: links are followed, hidden files ignored, names sorted.
enum Folder {
    private static let imageExtensions: Set<String> = ["jpg", "jpeg", "png", "bmp"]

    static func exists(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }

    /// Names in a folder; none if there is no such folder.
    static func names(in folder: URL) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { !$0.hasPrefix(".") }.sorted()
    }

    static func files(in folder: URL, _ extensions: Set<String>) -> [URL] {
        names(in: folder).map { folder.appendingPathComponent($0) }
            .filter { extensions.contains($0.pathExtension.lowercased()) }
    }

    static func images(in folder: URL) -> [URL] { files(in: folder, imageExtensions) }

    /// The folders in a folder.
    static func folders(in folder: URL) -> [URL] {
        names(in: folder).map { folder.appendingPathComponent($0) }.filter { url in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) && isFolder.boolValue
        }
    }
}
