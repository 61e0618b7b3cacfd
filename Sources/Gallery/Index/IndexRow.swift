/// What the index knows of a vector besides its numbers: enough to filter without SQL.
struct IndexRow: Sendable {
    /// Row number of the sighting; grows with enrolment.
    let sighting: Int64
    /// Ordinal of the identity in this index.
    let identity: Int32
    /// Ordinal of the camera in this index, −1 if unknown.
    let camera: Int32
    /// Milliseconds since 1970; nil if unknown.
    let capturedAt: Int64?
    /// Ordinal of the set of modalities that the vector was made from.
    let modalities: UInt8
    /// The sighting's first vector of this model: the one compared when none matches the query's modalities.
    let isMain: Bool
    /// Bit m is set if the sighting has a vector of modality set m.
    var siblings: UInt64
    /// False once deleted; the row's place is reclaimed by compaction.
    var isLive = true
}
