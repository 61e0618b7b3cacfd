import Foundation

/// One enrolled triple.
public struct SightingRecord: Codable, Equatable, Sendable {
    /// A UUID of version 7.
    public let id: String
    /// The identity it belongs to.
    public let identity: String
    /// Where it was seen.
    public let camera: String?
    /// When it was seen.
    public let capturedAt: Date?
    /// The client's own.
    public let metadata: Metadata
    /// When it was enrolled.
    public let createdAt: Date
    /// Of its kept images, sorted.
    public let modalities: [String]

    private enum CodingKeys: String, CodingKey {
        case id, identity, camera, metadata, modalities
        case capturedAt = "captured_at"
        case createdAt = "created_at"
    }
}
