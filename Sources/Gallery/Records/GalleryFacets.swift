import Foundation

/// A span of time by which sightings are counted, in UTC.
public enum TimeBucket: String, Codable, CaseIterable, Sendable {
    case hour, day
    /// From Monday on (ISO 8601).
    case week
    case month
}

/// How many sightings of a gallery there are, by what is known of them. Of each of the lists, with what it leaves out, the sum is
/// `sightings`.
public struct GalleryFacets: Codable, Equatable, Sendable {
    /// Sightings of one camera.
    public struct Camera: Codable, Equatable, Sendable {
        /// Its name.
        public let camera: String
        /// How many.
        public let sightings: Int
    }

    /// By camera.
    public struct Cameras: Codable, Equatable, Sendable {
        /// The hundred with the most, those first, equal ones by name.
        public let items: [Camera]
        /// Of all other cameras.
        public let others: Int
        /// Of none that is known.
        public let unknown: Int
    }

    /// Sightings of one span of time.
    public struct Time: Codable, Equatable, Sendable {
        /// When it begins.
        public let start: Date
        /// How many.
        public let sightings: Int
    }

    /// By when they were seen.
    public struct Times: Codable, Equatable, Sendable {
        /// How long each is.
        public let bucket: TimeBucket
        /// The last thousand in which there are any, in order.
        public let items: [Time]
        /// In all before these.
        public let earlier: Int
        /// At no time that is known.
        public let unknown: Int
    }

    /// Sightings with kept images of some modalities.
    public struct Modalities: Codable, Equatable, Sendable {
        /// Sorted; none of those that have no images.
        public let modalities: [String]
        /// How many.
        public let sightings: Int
    }

    /// Of identities that have a label, or of those that have none.
    public struct Labels: Codable, Equatable, Sendable {
        /// How many identities.
        public let identities: Int
        /// How many sightings of these.
        public let sightings: Int

        static let none = Labels(identities: 0, sightings: 0)
    }

    /// How many there are.
    public let sightings: Int
    /// Of how many identities.
    public let identities: Int
    /// By camera.
    public let cameras: Cameras
    /// By when they were seen.
    public let times: Times
    /// By the modalities of their kept images, the most first.
    public let modalities: [Modalities]
    /// Of identities with a label.
    public let labelled: Labels
    /// Of those without.
    public let unlabelled: Labels
}
