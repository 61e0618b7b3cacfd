import Foundation
import Inference

/// A data set of triples on disk, in one of the layouts that are known.
public struct TriplesDataset: Sendable {
    /// The splits, by the names that this project gives them.
    public enum Split: String, CaseIterable, Sendable {
        case train, query, gallery
    }

    /// The folder, or the file of a list of images.
    public let root: URL
    /// How it lies there, and how its benchmark ranks.
    public let layout: any DatasetLayout
    /// Which of RegDB's divisions; 1 of other layouts.
    package let trial: Int

    /// A data set.
    ///
    /// - Parameters:
    ///   - root: its folder; for `csv` also its file.
    ///   - layout: the name of a layout to insist on; nil recognises it by what is there.
    ///   - trial: 1 to 10, of RegDB's lists; other layouts have one train split, and 1 alone.
    /// - Throws: `DatasetError` if there is nothing, or nothing that is recognised, or the name or the trial is unknown.
    public init(root: URL, layout: String? = nil, trial: Int = 1) throws(DatasetError) {
        guard FileManager.default.fileExists(atPath: root.path) else { throw .missing(root.path) }
        (self.root, self.trial) = (root, trial)
        self.layout = try DatasetLayouts.find(layout, in: root, trial: trial)
    }

    /// What names and lists say of a split; no image is opened. Throws `DatasetError` if a list cannot be read.
    public func listing(_ split: Split) throws(DatasetError) -> SplitListing { try layout.list(split, in: root) }

    /// A split's sightings, by name. Throws `DatasetError` if there are none, if a name or list cannot be read, if an image is
    /// there twice, or listed and not there.
    public func sightings(_ split: Split) throws(DatasetError) -> [Sighting] {
        try Self.checked(try listing(split)) {
            .empty(root.path, "images of the \(split.rawValue) split as \(layout.signature)")
        }
    }

    private static func checked(
        _ listing: SplitListing, _ nothing: () -> DatasetError
    ) throws(DatasetError) -> [Sighting] {
        let errors = listing.problems.filter(\.kind.isError)
        guard errors.isEmpty else { throw .broken(errors) }
        guard !listing.sightings.isEmpty else { throw nothing() }
        return listing.sightings
    }

    /// What the data set itself sets apart for validation. Throws `DatasetError.noValidation` if its layout has no such thing, and as
    /// `sightings` does.
    func validationSightings() throws(DatasetError) -> [Sighting] {
        guard let listing = try layout.listValidation(in: root) else {
            throw .noValidation(root.path, layout: layout.name, DatasetLayouts.withValidation)
        }
        return try Self.checked(listing) { .empty(root.path, "images of the validation split") }
    }

    /// Whether there is an image of a split. Throws as `listing` does.
    func has(_ split: Split) throws(DatasetError) -> Bool { try !listing(split).sightings.isEmpty }

    /// What the data set's benchmark measures, one thing after the other. Throws as `sightings` does.
    public func tasks() throws(DatasetError) -> [RetrievalTask] { try layout.tasks(of: self) }

    /// What MixER's protocols are measured on: galleries with images of all modalities, also where the benchmark's own have
    /// those of one. Throws as `sightings` does.
    public func mixedTasks() throws(DatasetError) -> [RetrievalTask] { try layout.mixedTasks(of: self) }

    /// The train split as a model learns from it: where modalities were never seen together, as pairs of an identity. Throws
    /// as `sightings` does.
    package func trainingSightings(_ modalities: [Modality]) throws(DatasetError) -> [Sighting] {
        paired(try sightings(.train), modalities)
    }

    /// Sightings as a model learns from them: where modalities were never seen together, as pairs of an identity.
    func paired(_ sightings: [Sighting], _ modalities: [Modality]) -> [Sighting] {
        layout.isPaired || modalities.count == 1 ? sightings : Sighting.combined(sightings, modalities)
    }
}

extension TriplesDataset {
    /// One triple: who, from which camera, and where its images are.
    public struct Sighting: Sendable, Hashable {
        /// Unique in the split; a file's name without its extension, after its folder where the name alone is not unique.
        public let name: String
        /// Who.
        public let identity: String
        /// From where.
        public let camera: Int
        /// What was recorded together, where the benchmark asks for it.
        public let scene: String?
        /// At least one.
        public let files: [Modality: ImageFile]

        /// A sighting as given.
        public init(
            name: String, identity: String, camera: Int, scene: String? = nil, files: [Modality: ImageFile]
        ) {
            self.name = name
            self.identity = identity
            self.camera = camera
            self.scene = scene
            self.files = files
        }

        /// Images of one modality each, put together by identity: as many sightings of an identity as its commonest modality
        /// has images, of which each is in one; those of the others come again. What an identity lacks stays absent.
        static func combined(_ sightings: [Sighting], _ modalities: [Modality]) -> [Sighting] {
            let identities = Dictionary(grouping: sightings, by: \.identity)
            return identities.keys.sorted().flatMap { identity -> [Sighting] in
                let own = identities[identity] ?? []
                let pools = modalities.map { modality in own.filter { $0.files[modality] != nil } }
                    .filter { !$0.isEmpty }
                return (0..<(pools.map(\.count).max() ?? 0)).map { index in
                    let parts = pools.map { $0[index % $0.count] }
                    return Sighting(
                        name: parts.map(\.name).joined(separator: "+"), identity: identity, camera: parts[0].camera,
                        files: parts.reduce(into: [:]) { $0.merge($1.files) { first, _ in first } })
                }
            }
        }
    }
}
