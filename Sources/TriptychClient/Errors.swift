import Documents
import Foundation

/// What the server refused, and why (RFC 9457). Compare `code`; show `detail`; log `requestID`.
public struct Problem: Error, Sendable, Equatable, Codable, CustomStringConvertible {
    /// The stable URN, `urn:triptych:problem:gallery-not-found`; `about:blank` from what is no Triptych server.
    public let type: String
    /// The status in words.
    public let title: String
    /// The HTTP status.
    public let status: Int
    /// What was expected and what was found, for people.
    public let detail: String
    /// The request's identifier, which the server's log has too.
    public let requestID: String?
    /// The path of the field at fault, such as `options.limit`.
    public let field: String?
    /// The modality of the image at fault.
    public let modality: String?
    /// Seconds after which the server asks to be asked again.
    public let retryAfter: Double?

    private enum CodingKeys: String, CodingKey {
        case type, title, status, detail, field, modality
        case requestID = "instance"
        case retryAfter
    }

    /// `type` without what all types begin with: `gallery-not-found`.
    public var code: String { type.replacing("urn:triptych:problem:", with: "") }

    /// `the server refused with 404 gallery-not-found: there is no gallery 'g' (request 7C0E…)`.
    public var description: String {
        let name = type == "about:blank" ? title : code
        let request = requestID.map { " (request \($0))" } ?? ""
        return "the server refused with \(status)\(name.isEmpty ? "" : " \(name)"): \(detail)\(request)"
    }

    /// The problem of an answer that is no success, whoever gave it: a proxy says things in HTML.
    package init(_ status: Int, _ headers: [String: String], _ body: Data) {
        let document = (try? JSONDecoder().decode([String: JSONValue].self, from: body)) ?? [:]
        self.status = status
        type = document["type"]?.string ?? "about:blank"
        title = document["title"]?.string ?? ""
        if let place = headers["location"], (300..<400).contains(status) {
            detail = "redirects are not followed: the server may be at \(place.prefix(200))"
        } else {
            detail = document["detail"]?.string ?? String(decoding: body.prefix(200), as: UTF8.self)
        }
        requestID = document["instance"]?.string ?? headers["x-request-id"]
        (field, modality) = (document["field"]?.string, document["modality"]?.string)
        retryAfter = headers["retry-after"].flatMap(Self.seconds)
    }

    /// Of `Retry-After`, which has seconds or a date (RFC 9110, 10.2.3).
    private static func seconds(_ text: String) -> Double? {
        if let seconds = Double(text), seconds >= 0 { return seconds }
        let formatter = DateFormatter()
        (formatter.locale, formatter.timeZone) = (Locale(identifier: "en_US_POSIX"), TimeZone(identifier: "GMT"))
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
        return formatter.date(from: text).map { max(0, $0.timeIntervalSinceNow) }
    }
}

/// What went wrong without the server's having refused anything.
public enum ClientError: Error, Sendable, CustomStringConvertible {
    /// An argument makes no sense; nothing was sent.
    case invalidArgument(String)
    /// The server was not reached, or the connection broke before the whole answer had come. `wasSent`: whether something of
    /// the request may have reached the server, which may then have carried it out.
    case connectionFailed(server: String, reason: String, wasSent: Bool)
    /// Nothing came for as long as the timeout allows. The request may still be carried out.
    case timedOut(server: String)
    /// No TLS with the server, or its certificate is not of an authority that the system trusts.
    case insecure(server: String, reason: String)
    /// What came is not what the contract says: another service, or one that is newer than this library by a major version.
    case unexpectedAnswer(String)
    /// A job that was waited for has failed or was cancelled.
    case jobEnded(Job)

    /// What happened, for people.
    public var description: String {
        switch self {
        case .invalidArgument(let text): text
        case .connectionFailed(let server, let reason, _): "cannot reach \(server): \(reason)"
        case .timedOut(let server): "\(server) did not answer in time"
        case .insecure(let server, let reason): "no secure connection to \(server): \(reason)"
        case .unexpectedAnswer(let text): "the server's answer cannot be read: \(text)"
        case .jobEnded(let job): "the \(job.kind) \(job.id) has \(job.ending): \(job.reason ?? "no reason given")"
        }
    }

    /// Of what URLSession says.
    static func of(_ error: any Error, _ url: URL?) -> any Error {
        guard let error = error as? URLError else { return error }
        let server = "\(url?.scheme ?? "http")://\(url?.host ?? "")\(url?.port.map { ":\($0)" } ?? "")"
        switch error.code {
        case .cancelled: return CancellationError()
        case .timedOut: return ClientError.timedOut(server: server)
        case .secureConnectionFailed, .serverCertificateUntrusted, .serverCertificateHasBadDate,
            .serverCertificateNotYetValid, .serverCertificateHasUnknownRoot, .clientCertificateRequired,
            .clientCertificateRejected:
            return ClientError.insecure(server: server, reason: error.localizedDescription)
        case .cannotConnectToHost, .cannotFindHost, .dnsLookupFailed:
            return ClientError.connectionFailed(
                server: server, reason: error.localizedDescription, wasSent: false)
        // On Linux there is no code for it, only libcurl's words.
        case _ where error.localizedDescription.hasPrefix("SSL"):
            return ClientError.insecure(server: server, reason: error.localizedDescription)
        default:
            return ClientError.connectionFailed(
                server: server, reason: error.localizedDescription, wasSent: true)
        }
    }
}
