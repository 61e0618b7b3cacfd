/// What is wrong with a request, before anything is done for it.
package enum RequestError: Error, Equatable, CustomStringConvertible {
    /// A field of the wrong type or out of range.
    case invalid(field: String, expected: String, found: String)
    /// A field that means nothing here.
    case unknownField(String, expected: [String])
    /// Not JSON.
    case brokenJSON(String)
    /// Not a multipart body.
    case brokenMultipart(String)
    /// Another content type than those accepted.
    case unsupportedMediaType(found: String, expected: [String])
    /// The body did not arrive in time.
    case bodyTimeout(seconds: Int)
    /// The body is longer than allowed.
    case bodyTooLarge(limit: Int)
    /// Too much is in flight.
    case overloaded

    package var description: String {
        switch self {
        case .invalid(let field, let expected, let found): "\(field): expected \(expected), found \(found)"
        case .unknownField(let field, let expected):
            "unknown field \(field), expected one of \(expected.joined(separator: ", "))"
        case .brokenJSON(let reason): "the body is not JSON: \(reason)"
        case .brokenMultipart(let reason): "the body is not multipart/form-data: \(reason)"
        case .unsupportedMediaType(let found, let expected):
            "content type: expected \(expected.joined(separator: " or ")), found \(found)"
        case .bodyTimeout(let seconds): "the body did not arrive within \(seconds) s"
        case .bodyTooLarge(let limit): "the body exceeds the limit of \(limit) bytes"
        case .overloaded: "too many requests are in flight"
        }
    }
}
