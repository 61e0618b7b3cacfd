import Foundation

/// How a store keeps and searches galleries.
public struct GalleryConfiguration: Sendable {
    /// Whether the images of a sighting are stored. Without them a new model cannot re-embed what is enrolled.
    public var keepsImages = true
    /// Seconds to wait for another connection before `GalleryError.busy`.
    public var busyTimeout: TimeInterval = 5
    /// How many connections read at the same time.
    public var readers = 4
    /// How many queries are scored at the same time; half the cores by default, the encoder has the rest.
    public var searchThreads = max(1, ProcessInfo.processInfo.activeProcessorCount / 2)

    /// The defaults.
    public init() {}
}
