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
    /// Ordinal of the part that holds the sighting's main vector: the first of this model, of all its modalities.
    let main: UInt8
    /// Bit p is set if the sighting has a vector in part p.
    var siblings: UInt64
    /// False once deleted; the row's place is reclaimed by compaction.
    var isLive = true
}
