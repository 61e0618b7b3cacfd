import Documents
import Foundation

/// A gallery's own record.
public struct GalleryInfo: Codable, Sendable, Equatable {
    /// Unique on its server.
    public let name: String
    /// For people to read.
    public let label: String?
    /// The client's own.
    public let metadata: Metadata
    /// When it was made.
    public let createdAt: Date
    /// Days after which a sighting is erased, from when it was seen; nil for never.
    public let retentionDays: Int?
}

/// A gallery and how much is in it.
public struct GallerySummary: Codable, Sendable, Equatable {
    /// How many of the sightings a model has embedded.
    public struct ModelShare: Codable, Sendable, Equatable {
        /// Its digest.
        public let model: String
        /// Elements of its vectors.
        public let dimension: Int
        /// That it has embedded.
        public let sightings: Int
    }

    /// Unique on its server.
    public let name: String
    /// For people to read.
    public let label: String?
    /// The client's own.
    public let metadata: Metadata
    /// When it was made.
    public let createdAt: Date
    /// Days after which a sighting is erased; nil for never.
    public let retentionDays: Int?
    /// How many there are.
    public let identities: Int
    /// How many there are.
    public let sightings: Int
    /// How many are kept.
    public let images: Int
    /// The sum of the kept images' sizes.
    public let imageBytes: Int
    /// Which models have embedded how much of it.
    public let models: [ModelShare]
}

private struct Erased: Decodable, Sendable {
    let erased: Int
}

extension Client {
    /// All galleries, in order of creation.
    public func galleries(pageSize: Int = 200) -> Pages<GalleryInfo> {
        Pages(transport, .get(path("galleries")), pageSize: pageSize)
    }

    /// Makes an empty gallery.
    ///
    /// - Parameters:
    ///   - name: by which requests name it.
    ///   - label: for people to read.
    ///   - metadata: the client's own.
    ///   - retentionDays: days after which a sighting is erased; nil for never.
    ///   - existOK: if there is one it stays as it is; else that is a `Problem` with the code `gallery-exists`.
    @discardableResult
    public func createGallery(
        _ name: String, label: String? = nil, metadata: Metadata? = nil, retentionDays: Int? = nil,
        existOK: Bool = false
    ) async throws -> GalleryClient {
        let document = given([
            "name": .string(name), "label": label.map(JSONValue.string), "metadata": metadata.map(JSONValue.object),
            "retention_days": retentionDays.map(JSONValue.integer),
        ])
        do {
            let _: GalleryInfo = try await transport.ask(
                .post(path("galleries"), JSONValue.object(document), isRepeatable: existOK))
        } catch let problem as Problem where existOK && problem.code == "gallery-exists" {}
        return gallery(name)
    }
}

extension GalleryClient {
    /// The gallery and how much is in it.
    public func summary() async throws -> GallerySummary { try await transport.ask(.get(path())) }

    /// Changes its label, its metadata, which are replaced whole, or its retention.
    @discardableResult
    public func update(
        label: Change<String> = .keep, metadata: Metadata? = nil, retentionDays: Change<Int> = .keep
    ) async throws -> GalleryInfo {
        let document = given([
            "label": label.member(JSONValue.string), "metadata": metadata.map(JSONValue.object),
            "retention_days": retentionDays.member(JSONValue.integer),
        ])
        return try await transport.ask(.patch(path(), JSONValue.object(document)))
    }

    /// Erases the gallery with everything in it.
    public func erase() async throws { try await transport.erase(path()) }

    /// Erases the sightings that a filter admits, with their images and vectors, and returns how many there were; identities
    /// stay. A filter needs a condition.
    public func eraseSightings(_ filter: Filter) async throws -> Int {
        let found: Erased = try await transport.ask(.post(path("erasures"), ["filter": filter]))
        return found.erased
    }
}
