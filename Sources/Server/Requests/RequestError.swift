/// What is wrong with a request, before anything is done for it, beside the form of its body (`DocumentError`).
package enum RequestError: Error, Equatable, CustomStringConvertible {
    /// A field of the wrong type or out of range.
    case invalid(field: String, expected: String, found: String)
    /// A body that HTTP's framing does not allow.
    case brokenFraming(String)
    /// A target that is none.
    case brokenTarget(String, found: String)
    /// A header field `X-Triptych-Sequence` that no answer has given.
    case brokenSequence(found: String)
    /// There is nothing there.
    case noSuchPath(String)
    /// Another content type than those accepted.
    case unsupportedMediaType(found: String, expected: [String])
    /// The body did not arrive in time.
    case bodyTimeout(seconds: Int)
    /// The body came too slowly.
    case bodyStalled(leastBytesPerSecond: Int)
    /// The body is longer than allowed.
    case bodyTooLarge(limit: Int)
    /// Too much is in flight.
    case overloaded
    /// The client closed the connection before it was answered.
    case clientLeft
    /// The server ended before it was answered.
    case stopping
    /// Bytes that something of that length does not have.
    case rangeOutside(length: Int)
    /// Nobody has said what webhooks' calls are signed with.
    case webhooksOff

    package var description: String {
        switch self {
        case .invalid(let field, let expected, let found):
            "\(field.bounded()): expected \(expected), found \(found.bounded())"
        case .brokenFraming(let reason): "the body is not framed as HTTP says: \(reason)"
        case .brokenTarget(let expected, let found): "expected \(expected), found \(found.bounded())"
        case .brokenSequence(let found):
            "X-Triptych-Sequence: expected a number that an answer has given, found \(found.bounded())"
        case .noSuchPath(let path): "there is nothing at \(path.bounded())"
        case .unsupportedMediaType(let found, let expected):
            "content type: expected \(expected.joined(separator: " or ")), found \(found.bounded())"
        case .bodyTimeout(let seconds): "the body did not arrive within \(seconds) s"
        case .bodyStalled(let rate): "the body did not arrive at \(rate) bytes/s or more"
        case .bodyTooLarge(let limit): "the body exceeds the limit of \(limit) bytes"
        case .overloaded: "too many requests are in flight"
        case .clientLeft: "the client closed the connection before it was answered"
        case .stopping: "the server is stopping"
        case .rangeOutside(let length): "range: expected some of \(length) bytes, found none of them"
        case .webhooksOff: "expected webhooks.secret_file in the server's configuration, found none"
        }
    }
}

extension String {
    /// As much of a client's text as is repeated to it. By scalars: one character may be a megabyte long.
    func bounded(_ scalars: Int = 100) -> String {
        guard utf8.count > scalars,
            let end = unicodeScalars.index(startIndex, offsetBy: scalars, limitedBy: endIndex), end < endIndex
        else { return self }
        return "\(self[..<end])…"
    }
}
