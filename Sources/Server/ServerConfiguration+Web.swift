import Documents
import Foundation

extension ServerConfiguration {
    /// Throws `DocumentError`.
    mutating func readOrigins(_ fields: inout Fields) throws {
        guard var section = try fields.object("cors") else { return }
        origins = try section.strings("origins") ?? origins
        try section.finish()
    }

    /// Throws `ServerError.configuration`.
    func validateOrigins() throws {
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
