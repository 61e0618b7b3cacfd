import Crypto
import Documents
import Foundation

extension ServerConfiguration {
    /// How webhooks are called.
    public struct Webhooks: Sendable, Equatable {
        /// A file with the secret that calls are signed with; absent, there are no webhooks.
        public var secretFile: String?
        /// Whether addresses may be called that are not of the public internet.
        public var allowsPrivate = false
        /// Whether http may be spoken, not https alone.
        public var allowsHTTP = false
        /// Authorities in place of the system's, a file of PEM.
        public var caFile: String?
        /// Hours after which one that fails is given up.
        public var giveUpHours = 72

        /// The defaults.
        public init() {}

        mutating func read(_ fields: inout Fields) throws {
            var section = try fields.section("webhooks")
            try section.read("secret_file", .string, into: &secretFile)
            try section.read("allow_private", .bool, into: &allowsPrivate)
            try section.read("allow_http", .bool, into: &allowsHTTP)
            try section.read("ca_file", .string, into: &caFile)
            try section.read("give_up_hours", .integer(1...8760), into: &giveUpHours)
            try section.finish()
        }
    }
}

/// Signs calls as Standard Webhooks 1.0 says: HMAC-SHA256 over identifier, time and body, so that neither can be forged, nor an old
/// call sent again.
package struct WebhookSigner: Sendable {
    private let key: SymmetricKey

    /// The secret of a file: `whsec_` and base64, or the bytes themselves; 24 at least. Throws `ServerError.configuration`.
    package init(path: String) throws {
        let text = try SecretFile.read(path, for: "webhooks.secret_file")
        let secret =
            text.hasPrefix("whsec_") ? Data(base64Encoded: String(text.dropFirst(6))) ?? Data() : Data(text.utf8)
        guard secret.count >= 24 else {
            throw ServerError.configuration(
                "webhooks.secret_file: \(path): expected a secret of at least 24 bytes, found \(secret.count)")
        }
        key = SymmetricKey(data: secret)
    }

    /// The header fields of a call.
    package func headers(id: String, at now: Date, body: Data) -> [String] {
        let time = Int(now.timeIntervalSince1970)
        let code = HMAC<SHA256>.authenticationCode(for: Data("\(id).\(time).".utf8) + body, using: key)
        return [
            "Content-Type: application/json", "User-Agent: triptych", "webhook-id: \(id)", "webhook-timestamp: \(time)",
            "webhook-signature: v1,\(Data(code).base64EncodedString())",
        ]
    }
}
