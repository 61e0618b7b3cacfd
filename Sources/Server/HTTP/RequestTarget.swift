import Foundation
import Hummingbird

/// What a request asks for (RFC 9112, section 3.2): its path, split before it is decoded, so that an encoded slash is part
/// of a name, and everything that judges a request judges the same segments.
package struct RequestTarget: Equatable, Sendable {
    /// How a request is admitted.
    package enum Kind: Equatable, Sendable {
        /// Health, metrics, the contract: answered above all when there is no room.
        case service
        /// A checkpoint or a piece of one, which goes to a file as it comes.
        case upload
        /// Lines to be imported, which go to a file too.
        case importing
        /// Events, for as long as the client likes.
        case stream
        /// A batch, whose body may be longer.
        case batch
        /// Anything else, also what leads nowhere.
        case request
    }

    /// Paths that end with a slash: what is found there is a folder, to a browser.
    private static let folders: Set<Substring> = ["/", "/console/"]

    /// The path's segments, decoded: `["v1", "galleries", "a/b"]` of `/v1/galleries/a%2Fb`.
    package let segments: [String]
    /// What follows the `?`, as it came.
    package let query: String?

    /// Reads an origin-form or an absolute-form.
    ///
    /// Throws `RequestError.noSuchPath` for segments that are empty, but at the end of a folder's path, or, decoded, `.` or `..`, and
    /// `RequestError.brokenTarget` for a fragment, another form, or what is not percent-encoded UTF-8 (RFC 3986,
    /// section 2.1).
    package init(_ text: String) throws(RequestError) {
        guard !text.contains("#") else { throw .brokenTarget("a target without a fragment", found: text) }
        var rest = Substring(text)
        if !rest.hasPrefix("/") {
            guard let scheme = rest.range(of: "://"),
                ["http", "https"].contains(rest[..<scheme.lowerBound].lowercased())
            else { throw .brokenTarget("a path", found: text) }
            rest = rest[scheme.upperBound...].drop { $0 != "/" && $0 != "?" }
            if !rest.hasPrefix("/") { rest = "/" + rest }
        }
        let path = rest.prefix { $0 != "?" }
        query = path.endIndex == rest.endIndex ? nil : String(rest[path.endIndex...].dropFirst())
        var segments: [String] = []
        guard !Self.folders.contains(path) else {
            self.segments = path.dropFirst().split(separator: "/").map(String.init) + (path == "/" ? [] : [""])
            return
        }
        for segment in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            let decoded = try Self.decoded(segment, of: text)
            guard !["", ".", ".."].contains(decoded) else { throw .noSuchPath(text) }
            segments.append(decoded)
        }
        self.segments = segments
    }

    private static func decoded(_ segment: Substring, of text: String) throws(RequestError) -> String {
        guard segment.utf8.contains(UInt8(ascii: "%")) else { return String(segment) }
        guard let decoded = segment.removingPercentEncoding else {
            throw .brokenTarget("percent-encoded UTF-8", found: text)
        }
        return decoded
    }

    /// The one way to write it, from which the router reads the same segments.
    var canonical: String {
        "/" + segments.map(\.pathEncoded).joined(separator: "/") + (query.map { "?\($0)" } ?? "")
    }

    /// How a request for it is admitted.
    package func kind(_ method: HTTPRequest.Method) -> Kind {
        switch segments {
        case ["healthz"], ["readyz"], ["metrics"], ["openapi.yaml"]: .service
        case ["v1", "models"] where method == .post: .upload
        case let path where path.count == 4 && path.starts(with: ["v1", "models", "uploads"]) && method == .patch:
            .upload
        case ["v1", "events"]: .stream
        case let path where path.count == 4 && path.starts(with: ["v1", "jobs"]) && path[3] == "events": .stream
        case let path where path.count == 4 && path[1] == "galleries" && path[3] == "imports" && method == .post:
            .importing
        case let path where path.count == 5 && path[1] == "galleries" && path.suffix(2) == ["queries", "batch"]: .batch
        default: .request
        }
    }
}

extension String {
    /// As a segment of a path.
    var pathEncoded: String {
        addingPercentEncoding(withAllowedCharacters: .urlPathAllowed.subtracting(CharacterSet(charactersIn: "/")))
            ?? self
    }
}
