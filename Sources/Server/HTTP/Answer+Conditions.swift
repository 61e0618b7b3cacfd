import Foundation
import HTTPTypes
import Hummingbird

extension Answer {
    /// Bytes that are always the same under their tag: nothing if the client has them already (RFC 9110, section 13.1.2), or the
    /// part that it asks for (section 14.2). The client must ask each time, since they may have been erased.
    ///
    /// Throws `RequestError.rangeOutside`.
    static func tagged(
        _ data: Data, type: String, tag: String, for request: Request
    ) throws(RequestError) -> Response {
        let quoted = "\"\(tag)\""
        var headers: HTTPFields = [.eTag: quoted, .cacheControl: "private, no-cache", .acceptRanges: "bytes"]
        if hasTag(quoted, request) { return Response(status: .notModified, headers: headers) }
        headers[.contentType] = type
        let isCurrent = request.headers[.ifRange].map { $0 == quoted } ?? true
        guard isCurrent, let wanted = request.headers[.range].flatMap({ range($0, of: data.count) }) else {
            return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(data: data)))
        }
        guard let part = wanted else { throw .rangeOutside(length: data.count) }
        headers[.contentRange] = "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(data.count)"
        return Response(
            status: .partialContent, headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(data: data.dropFirst(part.lowerBound).prefix(part.count))))
    }

    /// Whether a client has what a tag names.
    static func hasTag(_ quoted: String, _ request: Request) -> Bool {
        guard let known = request.headers[.ifNoneMatch] else { return false }
        return known.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            .contains { $0 == "*" || $0 == quoted || $0 == "W/\(quoted)" }
    }

    /// One range of bytes; nil for what is to be ignored, and nil within for one that lies outside.
    private static func range(_ text: String, of count: Int) -> Range<Int>?? {
        guard text.hasPrefix("bytes="), !text.contains(",") else { return nil }
        let ends = text.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, ends.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else {
            return nil
        }
        switch (Int(ends[0]), Int(ends[1])) {
        case (nil, let last?) where ends[0].isEmpty:
            return .some(last > 0 && count > 0 ? max(0, count - last)..<count : nil)
        case (let first?, nil) where ends[1].isEmpty: return .some(first < count ? first..<count : nil)
        case (let first?, let last?) where first <= last:
            return .some(first < count ? first..<min(last + 1, count) : nil)
        default: return nil
        }
    }
}
