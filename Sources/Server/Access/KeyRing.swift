import Foundation
import Gallery
import Synchronization

/// The keys that clients may have. Once there was one, every request takes one.
final class KeyRing: Sendable {
    private let ledger: any ServerLedger
    /// By identifier; every key that was ever made.
    private let keys: Mutex<[String: AccessKey]>

    /// Reads them. Throws `GalleryError`.
    init(_ ledger: any ServerLedger) async throws {
        self.ledger = ledger
        let all = try await ledger.accessKeys()
        keys = Mutex(Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0) }))
    }

    /// Reads them anew, as another server may have made or revoked some. Throws `GalleryError`.
    func read() async throws {
        let all = try await ledger.accessKeys()
        keys.withLock { keys in
            // What was revoked here meanwhile stays so: keys are never forgotten, and no revocation is taken back.
            for key in all where keys[key.id]?.revokedAt == nil { keys[key.id] = key }
        }
    }

    /// Whether requests take a key.
    var isNeeded: Bool { keys.withLock { !$0.isEmpty } }

    /// In order of creation.
    var all: [AccessKey] {
        keys.withLock { $0.values.sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) } }
    }

    /// Whose a key is.
    ///
    /// Throws `AccessError.invalidToken`; of a key that is no longer good it tells why only to who has its secret.
    func principal(_ token: AccessToken, at now: Date = Date()) throws(AccessError) -> Principal {
        guard let key = keys.withLock({ $0[token.id] }), key.matches(token.secret) else {
            throw .invalidToken("expected a key of this server, found another")
        }
        if key.revokedAt != nil { throw .invalidToken("the key \(key.id) was revoked") }
        guard key.isValid(at: now) else { throw .invalidToken("the key \(key.id) has expired") }
        return Principal(key)
    }

    /// Whether a key was not revoked meanwhile, and has not expired.
    func isValid(_ principal: Principal, at now: Date = Date()) -> Bool {
        keys.withLock { keys in principal.id.flatMap { keys[$0] }?.isValid(at: now) ?? false }
    }

    /// A key. Throws `GalleryError.notFound`.
    func key(_ id: String) throws -> AccessKey {
        guard let key = keys.withLock({ $0[id] }) else { throw GalleryError.notFound(.key, id) }
        return key
    }

    /// Makes a key, and its token, which is told this once. Throws `GalleryError`, `.invalid` if it is the first and nobody could
    /// make another with it.
    func create(_ new: NewAccessKey) async throws -> (key: AccessKey, token: AccessToken) {
        let made = try new.issue()
        guard isNeeded || (new.role == .admin && new.galleries == nil && new.expiresAt == nil) else {
            throw GalleryError.invalid(
                field: "role", expected: "the first key to be an admin's, of all galleries and without an end",
                found: "another, with which nobody could make keys")
        }
        try await ledger.save(made.key)
        keys.withLock { $0[made.key.id] = made.key }
        return made
    }

    /// Makes a key useless from now on. Throws `GalleryError.notFound`.
    func revoke(_ id: String) async throws -> AccessKey {
        let key = try await ledger.revokeAccessKey(id, at: Date())
        keys.withLock { $0[id] = key }
        return key
    }
}
