import Foundation

/// A vector on its way into an index.
package struct IndexEntry: Sendable {
    package var sighting: Int64
    package var identity: Int64
    package var camera: String?
    package var capturedAt: Int64?
    /// Sorted names, joined by commas.
    package var modalities: String
    package var isMain: Bool
    /// Little-endian float32.
    package var vector: Data

    package init(
        sighting: Int64, identity: Int64, camera: String? = nil, capturedAt: Int64? = nil, modalities: String = "rgb",
        isMain: Bool = true, vector: Data
    ) {
        self.sighting = sighting
        self.identity = identity
        self.camera = camera
        self.capturedAt = capturedAt
        self.modalities = modalities
        self.isMain = isMain
        self.vector = vector
    }
}

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
