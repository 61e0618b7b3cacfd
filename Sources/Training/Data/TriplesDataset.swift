import Foundation
import Inference

/// A data set of triples on disk: `<split>/{rgb,nir,tir}/<identity>_c<camera>_<n>.jpg`, or `.png`.
///
/// The images of a sighting have the same name in each modality's folder; some may be absent.
public struct TriplesDataset: Sendable {
    /// The splits, by folder name.
    public enum Split: String, CaseIterable, Sendable {
        case train, query, gallery
    }

    /// One triple: who, from which camera, and where its images are.
    public struct Sighting: Sendable, Equatable {
        /// The file name without its extension, unique in the split.
        public let name: String
        /// What comes before the first underscore.
        public let identity: String
        /// The number after `c`.
        public let camera: Int
        /// At least one.
        public let files: [Modality: URL]

        /// A sighting as given.
        public init(name: String, identity: String, camera: Int, files: [Modality: URL]) {
            self.name = name
            self.identity = identity
            self.camera = camera
            self.files = files
        }
    }

    /// The folder that holds the splits.
    public let root: URL

    /// A data set in a folder. Throws `DatasetError.missing` if there is none.
    public init(root: URL) throws(DatasetError) {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: root.path, isDirectory: &isFolder), isFolder.boolValue else {
            throw .missing(root.path)
        }
        self.root = root
    }

    /// A split's sightings, by name. Throws `DatasetError` if the folder is missing or empty, or holds a file whose name
    /// cannot be read.
    public func sightings(_ split: Split) throws(DatasetError) -> [Sighting] {
        let folder = root.appendingPathComponent(split.rawValue)
        var files: [String: [Modality: URL]] = [:]
        for modality in Modality.allCases {
            for url in Self.images(in: folder.appendingPathComponent(modality.rawValue)) {
                files[url.deletingPathExtension().lastPathComponent, default: [:]][modality] = url
            }
        }
        guard !files.isEmpty else {
            throw .empty(folder.path + "/{rgb,nir,tir}", "images")
        }
        var sightings: [Sighting] = []
        for (name, files) in files.sorted(by: { $0.key < $1.key }) {
            guard let parts = try? /([0-9A-Za-z-]+)_c(\d{1,9})_(.+)/.wholeMatch(in: name), let camera = Int(parts.2)
            else {
                throw .unreadableName(files.values.first?.path ?? name)
            }
            sightings.append(Sighting(name: name, identity: String(parts.1), camera: camera, files: files))
        }
        return sightings
    }

    private static func images(in folder: URL) -> [URL] { files(in: folder, ["jpg", "jpeg", "png"]) }

    /// The files with one of some extensions; none if there is no such folder.
    static func files(in folder: URL, _ extensions: Set<String>) -> [URL] {
        // A link to a folder is not listed as one.
        let all = try? FileManager.default.contentsOfDirectory(
            at: folder.resolvingSymlinksInPath(), includingPropertiesForKeys: nil)
        return (all ?? []).filter { extensions.contains($0.pathExtension.lowercased()) }
    }
}
