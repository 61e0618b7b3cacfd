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
