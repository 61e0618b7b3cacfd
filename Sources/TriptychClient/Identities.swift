import Documents
import Foundation

/// One vehicle or person.
public struct Identity: Codable, Sendable, Equatable {
    /// Unique in its gallery.
    public let id: String
    /// For people to read.
    public let label: String?
    /// The client's own.
    public let metadata: Metadata
    /// Whether its sightings are told as `watchlist` events.
    public let watchlist: Bool
    /// When it was made.
    public let createdAt: Date
    /// When it was last patched.
    public let updatedAt: Date
    /// How many there are.
    public let sightings: Int
    /// When its last sighting was seen, or else enrolled; nil without any.
    public let lastSeen: Date?
}

/// What a list of identities is sorted by. What does not have it is not in the list.
public enum IdentityOrder: String, Sendable {
    /// When they were made.
    case created
    /// Their names.
    case name
    /// Their labels.
    case label
    /// When they were seen last, the latest first.
    case lastSeen = "last_seen"
}

/// Other identities that may be the same.
public struct SimilarIdentities: Codable, Sendable, Equatable {
    /// One of them: its `sighting` `resembles` one of the identity that was asked about.
    public struct Item: Codable, Sendable, Equatable {
        /// The other one.
        public let identity: String
        /// The other one's.
        public let label: String?
        /// The cosine.
        public let score: Double
        /// The other one's.
        public let sighting: String
        /// The sighting of the identity that was asked about.
        public let resembles: String
    }

    /// What compared.
    public let model: String
    /// The most similar first.
    public let items: [Item]
}

extension GalleryClient {
    /// Identities, by default all in order of creation; of a filter only what is about labels counts.
    public func identities(
        _ filter: ListFilter = ListFilter(), by order: IdentityOrder? = nil, pageSize: Int = 200
    ) -> Pages<Identity> {
        Pages(
            transport, .get(path("identities"), filter.labels + [("sort", order?.rawValue)]), pageSize: pageSize)
    }

    /// An identity.
    public func identity(_ identity: String) async throws -> Identity {
        try await transport.ask(.get(path("identities", identity)))
    }

    /// Makes an identity without sightings; enrolling makes one too.
    @discardableResult
    public func createIdentity(
        _ identity: String, label: String? = nil, metadata: Metadata? = nil, watchlist: Bool? = nil
    ) async throws -> Identity {
        let document = given([
            "id": .string(identity), "label": label.map(JSONValue.string), "metadata": metadata.map(JSONValue.object),
            "watchlist": watchlist.map(JSONValue.bool),
        ])
        return try await transport.ask(.post(path("identities"), JSONValue.object(document)))
    }

    /// Changes its label, its metadata, which are replaced whole, or whether it is on the watchlist.
    @discardableResult
    public func updateIdentity(
        _ identity: String, label: Change<String> = .keep, metadata: Metadata? = nil, watchlist: Bool? = nil
    ) async throws -> Identity {
        let document = given([
            "label": label.member(JSONValue.string), "metadata": metadata.map(JSONValue.object),
            "watchlist": watchlist.map(JSONValue.bool),
        ])
        return try await transport.ask(.patch(path("identities", identity), JSONValue.object(document)))
    }

    /// Erases an identity with its sightings, images and vectors.
    public func eraseIdentity(_ identity: String) async throws {
        try await transport.erase(path("identities", identity))
    }

    /// Other identities that may be the same.
    public func similar(to identity: String, limit: Int = 10) async throws -> SimilarIdentities {
        try await transport.ask(.get(path("identities", identity, "similar"), [("limit", "\(limit)")]))
    }

    /// Starts a job that looks for identities without a label that are one. Its result has `groups` to merge.
    public func group(threshold: Double) async throws -> Job {
        try await transport.ask(.post(path("groupings"), ["threshold": threshold]))
    }
}

// MARK: Corrections

/// A move, rename, merge, split or distinction, which can be undone.
public struct Correction: Codable, Sendable, Equatable {
    /// Its identifier.
    public let id: String
    /// `move`, `rename`, `merge`, `split` or `distinguish`.
    public let kind: String
    /// The one that sightings went to, that was renamed or told apart, as it is called now; nil if it is no more.
    public let identity: String?
    /// Those that it has moved and that are still there.
    public let sightings: Int
    /// When it was made.
    public let createdAt: Date
    /// nil unless it was undone.
    public let undoneAt: Date?
}

/// An identity that is not the same as the one that was asked about.
public struct Distinction: Codable, Sendable, Equatable {
    /// Its name.
    public let identity: String
    /// Its label.
    public let label: String?
    /// The correction that said so; nil once that is no longer among the last 10 000.
    public let correction: String?
    /// When it was said.
    public let createdAt: Date
}

private struct Distinctions: Decodable, Sendable {
    let items: [Distinction]
}

private struct Corrected: Decodable, Sendable {
    let correction: Correction
}

extension GalleryClient {
    /// The last 10 000 corrections, the first or the last one first.
    public func corrections(lastFirst: Bool = false, pageSize: Int = 200) -> Pages<Correction> {
        Pages(transport, .get(path("corrections"), [("order", lastFirst ? "desc" : nil)]), pageSize: pageSize)
    }

    /// Gives a sighting to another identity, which is made if it is new.
    @discardableResult
    public func move(_ sighting: SightingReference, to identity: String) async throws -> Correction {
        try await correct(path(sighting, "move"), ["identity": .string(identity)])
    }

    /// Gives an identity another name.
    @discardableResult
    public func rename(_ identity: String, to new: String) async throws -> Correction {
        try await correct(path("identities", identity, "rename"), ["identity": .string(new)])
    }

    /// Makes other identities part of this one.
    @discardableResult
    public func merge(_ others: [String], into identity: String) async throws -> Correction {
        let names = JSONValue.array(others.map(JSONValue.string))
        return try await correct(path("identities", identity, "merge"), ["identities": names])
    }

    /// Makes some of an identity's sightings, by their identifiers, a new one.
    @discardableResult
    public func split(_ sightings: [String], of identity: String, into new: String) async throws -> Correction {
        let chosen = JSONValue.array(sightings.map(JSONValue.string))
        return try await correct(
            path("identities", identity, "split"), ["sightings": chosen, "identity": .string(new)])
    }

    /// Says that an identity is not the same as others: they are not told as similar any more, and never grouped.
    @discardableResult
    public func distinguish(_ identity: String, from others: [String]) async throws -> Correction {
        let names = JSONValue.array(others.map(JSONValue.string))
        return try await correct(path("identities", identity, "distinguish"), ["identities": names])
    }

    /// Whom an identity was told apart from, the last one first.
    public func distinctions(of identity: String) async throws -> [Distinction] {
        let answer: Distinctions = try await transport.ask(.get(path("identities", identity, "distinctions")))
        return answer.items
    }

    /// Takes a correction back. Later ones of the same sightings or names must be undone before.
    @discardableResult
    public func undo(_ correction: String) async throws -> Correction {
        try await transport.ask(.post(path("corrections", correction, "undo")))
    }

    private func correct(_ path: String, _ document: [String: JSONValue]) async throws -> Correction {
        let made: Corrected = try await transport.ask(.post(path, document))
        return made.correction
    }
}
