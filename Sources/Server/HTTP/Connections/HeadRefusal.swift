import HTTPTypes
import NIOHTTP1

/// What is wrong with a request's head, so that nobody reads its body.
struct HeadRefusal: Error {
    let type: ProblemType
    let detail: String

    init(_ type: ProblemType, _ detail: String) { (self.type, self.detail) = (type, detail) }

    /// Not exactly one host (RFC 9112, section 3.2).
    static func hosts(found: String) -> HeadRefusal {
        HeadRefusal(.missingHost, "expected one Host header, found \(found)")
    }

    /// More fields than are read (RFC 6585, section 5).
    static func tooLarge(_ limits: ServerConfiguration.Limits) -> HeadRefusal {
        HeadRefusal(
            .headerTooLarge,
            "expected at most \(limits.headerBytes) bytes of target and header fields, and \(limits.headerFields) fields, "
                + "found more")
    }

    /// What is no HTTP/1.
    init(_ error: HTTPParserError, _ limits: ServerConfiguration.Limits) {
        self =
            error == .headerOverflow
            ? .tooLarge(limits)
            : HeadRefusal(.malformedHead, "expected the head of an HTTP/1.1 request: \(error)")
    }

    /// What a whole head says of a body that would not be read; nil if nothing is wrong.
    init?(_ head: HTTPRequest, for target: RequestTarget?, _ limits: ServerConfiguration.Limits) {
        let most = limits.bodyBytes(target?.kind(head.method) ?? .request)
        // The parser has seen that it is a number; one that is too large for an integer is too large for a body.
        if let text = head.headerFields[.contentLength], Int(text).map({ $0 > most }) ?? true {
            self.init(
                .bodyTooLarge,
                "the body of \(text.bounded()) bytes exceeds the limit of \(most) bytes")
        } else if let encoding = head.headerFields[.transferEncoding], encoding.lowercased() != "chunked" {
            self.init(
                .transferEncoding,
                "transfer encoding: expected chunked, found \(encoding.bounded())")
        } else {
            return nil
        }
    }
}

extension HTTPRequest {
    /// Of a stream, whose host may stand in two places, and whose fields nobody has counted: what is wrong with it. Its
    /// host then stands in one (RFC 9113, section 8.3.1).
    mutating func refusalOfStream(_ limits: ServerConfiguration.Limits) -> HeadRefusal? {
        let bytes = headerFields.reduce(path?.utf8.count ?? 0) {
            // As HTTP/2 counts (RFC 9113, section 6.5.2).
            $0 + $1.name.rawName.utf8.count + $1.value.utf8.count + 32
        }
        guard bytes <= limits.headerBytes, headerFields.count <= limits.headerFields else { return .tooLarge(limits) }
        let hosts = headerFields[values: .hostField]
        guard let host = authority ?? hosts.first, !host.isEmpty else { return .hosts(found: "none") }
        guard hosts.count <= 1, hosts.allSatisfy({ $0 == host }) else { return .hosts(found: "several") }
        authority = host
        headerFields[.hostField] = nil
        return nil
    }
}
