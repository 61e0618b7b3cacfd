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
