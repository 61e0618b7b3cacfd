import Documents
import Foundation
import Gallery
import Hummingbird
import NIOCore
import Serving
import Threads

/// Receives bodies, and parses them on threads of their own.
struct BodyReader: Sendable {
    let limits: ServerConfiguration.Limits
    let threads: WorkerThreads

    /// The whole body, once, in memory that is the caller's alone. Throws what `ReceivedBody` throws, and
    /// `RequestError.bodyTimeout`.
    private func bytes(_ request: Request) async throws -> Data {
        let (body, limits) = (request.body, limits)
        let declared = request.headers[.contentLength].flatMap(Int.init) ?? 0
        return try await Deadline.run(
            seconds: limits.bodySeconds, or: RequestError.bodyTimeout(seconds: limits.bodySeconds)
        ) {
            var bytes = Data()
            bytes.reserveCapacity(min(declared, limits.bodyBytes))
            for try await part in body { bytes.append(contentsOf: part.readableBytesView) }
            return bytes
        }
    }

    /// The body as one or more triples. Throws `DocumentError` or `RequestError`.
    func triple(_ request: Request, groups: [String] = [""]) async throws -> TripleBody {
        let (bytes, limits) = (try await bytes(request), limits)
        let type = request.headers[.contentType] ?? ""
        return try await threads.run {
            try TripleBody(bytes, contentType: type, mostParts: limits.parts, groups: groups)
        }
    }

    /// The body as several triples. Throws `DocumentError` or `RequestError`.
    func batch(_ request: Request, _ shape: BatchBody.Shape) async throws -> BatchBody {
        let bytes = try await bytes(request)
        let type = request.headers[.contentType] ?? ""
        return try await threads.run { try BatchBody(bytes, contentType: type, shape) }
    }

    /// A JSON object, or none at all for an empty body. Throws `DocumentError` or `RequestError`.
    func fields(_ request: Request) async throws -> Fields {
        let bytes = try await bytes(request)
        if bytes.isEmpty { return .empty }
        if request.mediaType != "application/merge-patch+json" { try request.require(mediaType: "application/json") }
        return try await threads.run { try Fields(document: bytes) }
    }
}

extension Request {
    /// The content type without its parameters, in lower case; empty if there is none.
    var mediaType: String {
        (headers[.contentType] ?? "").prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
    }

    /// Throws `RequestError.unsupportedMediaType` for another.
    func require(mediaType expected: String) throws(RequestError) {
        guard mediaType == expected else {
            throw .unsupportedMediaType(found: mediaType.isEmpty ? "none" : mediaType, expected: [expected])
        }
    }

    /// A query parameter that is a whole number. Throws `RequestError.invalid`.
    func integer(_ name: String, _ range: ClosedRange<Int>, default fallback: Int) throws -> Int {
        guard let text = uri.queryParameters[name[...]] else { return fallback }
        guard let number = Int(text), range.contains(number) else {
            throw RequestError.invalid(
                field: name, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)",
                found: "\"\(text)\"")
        }
        return number
    }

    /// A query parameter that is true or false; without a value it is true. Throws `RequestError.invalid`.
    func flag(_ name: String) throws -> Bool {
        guard uri.queryParameters.has(name[...]) else { return false }
        switch uri.queryParameters[name[...]] {
        case nil, "", "true": return true
        case "false": return false
        case .some(let text):
            throw RequestError.invalid(field: name, expected: "true or false", found: "\"\(text)\"")
        }
    }

    /// A query parameter that is a time. Throws `RequestError.invalid`.
    func date(_ name: String) throws -> Date? {
        guard let text = uri.queryParameters[name[...]] else { return nil }
        guard let date = Timestamp.date(String(text)) else {
            throw RequestError.invalid(
                field: name, expected: "an RFC 3339 time such as 2026-01-31T12:00:00Z", found: "\"\(text)\"")
        }
        return date
    }

    /// `?limit=&cursor=` of a gallery's list.
    func pageRequest() throws -> PageRequest {
        let page = try page()
        return try PageRequest(limit: page.limit, after: page.cursor)
    }

    /// `?limit=&cursor=` of a list.
    func page() throws -> (limit: Int, cursor: String?) {
        (try integer("limit", 1...1000, default: 50), uri.queryParameters["cursor"].map(String.init))
    }
}

extension RequestBody {
    /// Hands it on as it comes, in pieces of a mebibyte or a little more; the last is shorter. What has come is handed on also if
    /// no more follows.
    ///
    /// - Parameters:
    ///   - most: how long it may be.
    ///   - take: is given one piece after the other.
    /// - Throws: `RequestError.bodyTooLarge` once it is longer, and whatever `ReceivedBody` and `take` throw.
    func eachPiece(most: Int = .max, _ take: @escaping @Sendable (Data) async throws -> Void) async throws {
        var (buffer, received) = (ByteBuffer(), 0)
        do {
            for try await part in self {
                received += part.readableBytes
                guard received <= most else { throw RequestError.bodyTooLarge(limit: most) }
                buffer.writeImmutableBuffer(part)
                if buffer.readableBytes >= 1 << 20 {
                    try await take(Data(buffer: buffer))
                    buffer.clear()
                }
            }
            try await take(Data(buffer: buffer))
        } catch let error as RequestError where received <= most {
            // What has come need not come again, though whoever has sent it has left and this task may be cancelled.
            let rest = Data(buffer: buffer)
            try? await Task { try await take(rest) }.value
            throw error
        }
    }
}
