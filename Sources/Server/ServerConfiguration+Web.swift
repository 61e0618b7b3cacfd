import Documents
import Foundation

extension ServerConfiguration {
    /// Files of PEM. They are looked at again while the server runs.
    public struct TLS: Sendable, Equatable {
        /// The certificate, followed by those that lead to an authority that clients know.
        public var certificate: String
        /// Its private key, without a passphrase.
        public var key: String
        /// Authorities, of one of which every client must have a certificate; absent, clients need none.
        public var clientCA: String?

        /// By paths.
        public init(certificate: String, key: String, clientCA: String? = nil) {
            (self.certificate, self.key, self.clientCA) = (certificate, key, clientCA)
        }
    }
}

extension ServerConfiguration.TLS {
    /// Throws `DocumentError`.
    init?(_ fields: inout Fields) throws {
        guard var section = try fields.object("tls") else { return nil }
        certificate = try section.require("certificate", .string)
        key = try section.require("key", .string)
        try section.read("client_ca", .string, into: &clientCA)
        try section.finish()
    }
}

extension ServerConfiguration {
    /// Throws `DocumentError`.
    mutating func readOrigins(_ fields: inout Fields) throws {
        var section = try fields.section("cors")
        try section.read("origins", .strings, into: &origins)
        try section.finish()
    }

    /// Throws `ServerError.configuration`.
    func validateOrigins() throws(ServerError) {
        for origin in origins where !Self.isOrigin(origin) {
            throw ServerError.configuration(
                "cors.origins: expected origins such as https://example.org or http://localhost:3000, found \(origin)")
        }
    }

    /// Whether it is as a browser writes it (RFC 6454, section 6.2): compared as text, any other would never match.
    private static func isOrigin(_ text: String) -> Bool {
        guard let parts = URLComponents(string: text), let scheme = parts.scheme, let host = parts.host else {
            return false
        }
        let port = parts.port.map { ":\($0)" } ?? ""
        return !host.isEmpty && text == "\(scheme)://\(host)\(port)".lowercased()
    }
}
