/// What a start found to be wrong with a database that it nevertheless serves.
public struct GalleryDamage: Sendable, Equatable {
    /// Transactions that were committed once and are not in the database: its log was lost, or an older copy took its place.
    public let lostCommits: Int
    /// Vectors that are in no index.
    public let vectors: DamagedVectors
}

/// Vectors that cannot be compared with others: of a wrong length, not finite, or zero.
public struct DamagedVectors: Sendable, Equatable {
    /// A sighting's row number, and the model's digest.
    public struct Place: Sendable, Equatable {
        /// The sighting's row in the database.
        public let sighting: Int64
        /// The model's digest.
        public let model: String
    }

    /// How many there are.
    public private(set) var count = 0
    /// The first of them, at most ten.
    public private(set) var first: [Place] = []

    mutating func add(sighting: Int64, model: String) {
        count += 1
        if first.count < 10 { first.append(Place(sighting: sighting, model: model)) }
    }

    mutating func add(_ other: DamagedVectors) {
        count += other.count
        first = Array((first + other.first).prefix(10))
    }
}
