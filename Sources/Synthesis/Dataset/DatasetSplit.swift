/// The parts of a data set, as the re-identification field divides it.
public enum DatasetSplit: String, CaseIterable, Sendable {
    /// Vehicles to learn from.
    case train
    /// Sightings of other vehicles, to search with.
    case query
    /// The remaining sightings of those other vehicles, to be found.
    case gallery
}
