import Foundation

/// How many sightings there are, by what is known of them. Of each list, with what it leaves out, the sum is `sightings`.
public struct Facets: Codable, Sendable, Equatable {
    /// By camera.
    public struct Cameras: Codable, Sendable, Equatable {
        /// One of them.
        public struct Item: Codable, Sendable, Equatable {
            /// Its name.
            public let camera: String
            /// That it has seen.
            public let sightings: Int
        }

        /// The hundred with the most, those first.
        public let items: [Item]
        /// Of all other cameras.
        public let others: Int
        /// Without a camera.
        public let unknown: Int
    }

    /// By time.
    public struct Times: Codable, Sendable, Equatable {
        /// A span of time.
        public struct Item: Codable, Sendable, Equatable {
            /// Its beginning.
            public let start: Date
            /// In it.
            public let sightings: Int
        }

        /// How long they are.
        public let bucket: String
        /// The last thousand in which there are any, in order.
        public let items: [Item]
        /// Before all of these.
        public let earlier: Int
        /// Without a time.
        public let unknown: Int
    }

    /// By the modalities of their kept images.
    public struct Modalities: Codable, Sendable, Equatable {
        /// In alphabetical order.
        public let modalities: [String]
        /// With exactly these.
        public let sightings: Int
    }

    /// By whether their identity has a label.
    public struct Labels: Codable, Sendable, Equatable {
        /// Such identities.
        public let identities: Int
        /// Theirs.
        public let sightings: Int
    }

    /// That were counted.
    public let sightings: Int
    /// Whose they are.
    public let identities: Int
    /// By camera.
    public let cameras: Cameras
    /// By time.
    public let times: Times
    /// The most first.
    public let modalities: [Modalities]
    /// Of identities with a label.
    public let labelled: Labels
    /// Of identities without one.
    public let unlabelled: Labels
}

/// Which sightings, or identities, are listed or counted.
public struct ListFilter: Sendable, Equatable {
    /// Seen by this one.
    public var camera: String?
    /// At this time or later.
    public var capturedAfter: Date?
    /// Before this time.
    public var capturedBefore: Date?
    /// Of an identity with exactly this label.
    public var label: String?
    /// Of an identity whose label begins so.
    public var labelPrefix: String?
    /// Of an identity that has a label, or of one that has none.
    public var labelled: Bool?

    /// All, but for what is given.
    public init(
        camera: String? = nil, capturedAfter: Date? = nil, capturedBefore: Date? = nil, label: String? = nil,
        labelPrefix: String? = nil, labelled: Bool? = nil
    ) {
        (self.camera, self.capturedAfter, self.capturedBefore) = (camera, capturedAfter, capturedBefore)
        (self.label, self.labelPrefix, self.labelled) = (label, labelPrefix, labelled)
    }

    var query: [(name: String, value: String?)] {
        [
            ("camera", camera), ("captured_after", capturedAfter.map(Wire.text)),
            ("captured_before", capturedBefore.map(Wire.text)),
        ] + labels
    }

    /// What of it lists of identities know.
    var labels: [(name: String, value: String?)] {
        [("label", label), ("label_prefix", labelPrefix), ("labelled", labelled.map { "\($0)" })]
    }
}

extension GalleryClient {
    /// Counts sightings by camera, time, modalities and label. O(sightings) at the server.
    ///
    /// - Parameters:
    ///   - filter: which.
    ///   - bucket: by which spans of time: `hour`, `day`, `week` or `month`.
    public func facets(_ filter: ListFilter = ListFilter(), by bucket: String = "day") async throws -> Facets {
        try await transport.ask(.get(path("facets"), filter.query + [("bucket", bucket)]))
    }
}
