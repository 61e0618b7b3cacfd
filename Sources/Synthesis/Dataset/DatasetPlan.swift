import Foundation

/// Which sightings a data set has, and which split each belongs to. Computed by index; nothing is stored.
package struct DatasetPlan: Sendable {
    /// One triple of the data set.
    package struct Entry: Sendable, Equatable {
        package let identity: Int
        package let camera: Int
        package let sighting: Int
        package let split: DatasetSplit

        /// The picture's path below the data set's root.
        package func path(_ modality: String) -> String {
            let name = String(format: "%04d_c%d_%03d.jpg", identity, camera, sighting)
            return "\(split.rawValue)/\(modality)/\(name)"
        }
    }

    /// The names of the three modalities' directories.
    package static let modalities = ["rgb", "nir", "tir"]

    private let parameters: SynthesisParameters

    package init(_ parameters: SynthesisParameters) {
        self.parameters = parameters
    }

    /// Triples in all.
    package var count: Int {
        parameters.identities * parameters.cameras * parameters.sightings
    }

    /// The triple at an index in `0..<count`: ordered by identity, then camera, then sighting.
    package subscript(index: Int) -> Entry {
        let (rest, sighting) = index.quotientAndRemainder(dividingBy: parameters.sightings)
        let (identity, camera) = rest.quotientAndRemainder(dividingBy: parameters.cameras)
        return Entry(
            identity: identity + 1, camera: camera + 1, sighting: sighting + 1,
            split: split(identity: identity + 1, camera: camera + 1, sighting: sighting + 1))
    }

    /// Of an unseen vehicle's sightings, the first by each camera is a query. If there is just one by each, then only
    /// one camera's is, another for each vehicle in turn, so that something is left to be found.
    private func split(identity: Int, camera: Int, sighting: Int) -> DatasetSplit {
        if identity <= parameters.trainIdentities { return .train }
        if parameters.sightings > 1 { return sighting == 1 ? .query : .gallery }
        return camera == (identity - 1) % parameters.cameras + 1 ? .query : .gallery
    }
}

/// The parts of a data set, as the re-identification field divides it.
public enum DatasetSplit: String, CaseIterable, Sendable {
    /// Vehicles to learn from.
    case train
    /// Sightings of other vehicles, to search with.
    case query
    /// The remaining sightings of those other vehicles, to be found.
    case gallery

    /// The folders of a split: the modalities', and one for texts but in the gallery, whose vehicles query's describe.
    var folders: [String] { DatasetPlan.modalities + (self == .gallery ? [] : ["text"]) }
}
