import Foundation

/// Splits a `multipart/form-data` body (RFC 7578, RFC 2046 section 5.1) that has been received whole.
package struct MultipartParser {
    /// One part; its bytes are a slice of the body, which is not copied.
    package struct Part: Equatable {
        package let name: String
        package let contentType: String?
        package let bytes: Data
    }

    private static let mostHeaderBytes = 4096
    private static let blankLine = BytePattern("\r\n\r\n".utf8)
    private let boundary: BytePattern
    private let delimiter: BytePattern
    private let mostParts: Int

    /// From a content type's `boundary` parameter. Throws `DocumentError.syntax` if it is absent or longer than RFC 2046's
    /// 70 characters.
    package init(contentType: String, mostParts: Int) throws(DocumentError) {
        guard let value = HeaderParameters(contentType)["boundary"], (1...70).contains(value.utf8.count) else {
            throw Self.error("expected a boundary of 1 to 70 characters in the content type")
        }
        boundary = BytePattern("--\(value)".utf8)
        delimiter = BytePattern("\r\n--\(value)".utf8)
        self.mostParts = mostParts
    }

    /// The parts, in order. What comes before the first and after the last boundary is ignored. O(body), whatever it holds.
    ///
    /// Throws `DocumentError` for the form.
    package func parts(of body: Data) throws(DocumentError) -> [Part] {
        let bytes = body.span
        guard var at = boundary.first(in: bytes, 0..<bytes.count)?.upperBound else {
            throw Self.error("the boundary does not occur")
        }
        var parts: [Part] = []
        while true {
            let mark = (at + 1 < bytes.count) ? [bytes[at], bytes[at + 1]] : []
            if mark.elementsEqual("--".utf8) { return parts }
            guard mark.elementsEqual("\r\n".utf8) else {
                throw Self.error("expected a line break after boundary \(parts.count + 1)")
            }
            guard parts.count < mostParts else { throw .tooManyParts(limit: mostParts) }
            // A part may be empty of headers and content: then the delimiter's line break is the one just read.
            guard let end = delimiter.first(in: bytes, at..<bytes.count) else {
                throw Self.error("part \(parts.count + 1) does not end")
            }
            let content = at + 2..<max(at + 2, end.lowerBound)
            parts.append(try part(body, content, number: parts.count + 1))
            at = end.upperBound
        }
    }

    private func part(_ body: Data, _ content: Range<Int>, number: Int) throws(DocumentError) -> Part {
        let head = content.prefix(Self.mostHeaderBytes)
        guard let blank = Self.blankLine.first(in: body.span, head) else {
            throw Self.error("part \(number) has no headers, or more than \(Self.mostHeaderBytes) bytes of them")
        }
        let start = body.startIndex
        let headers = try Self.headers(body[start + content.lowerBound..<start + blank.lowerBound], number)
        let disposition = headers["content-disposition"] ?? ""
        guard disposition.lowercased().hasPrefix("form-data"), let name = HeaderParameters(disposition)["name"] else {
            throw Self.error("part \(number) has no name: expected Content-Disposition: form-data; name=\"…\"")
        }
        return Part(
            name: name, contentType: headers["content-type"],
            bytes: body[start + blank.upperBound..<start + content.upperBound])
    }

    private static func headers(_ bytes: Data, _ number: Int) throws(DocumentError) -> [String: String] {
        guard let text = String(data: bytes, encoding: .utf8) else {
            throw error("the headers of part \(number) are not UTF-8")
        }
        var headers: [String: String] = [:]
        for line in text.components(separatedBy: "\r\n") {
            guard let colon = line.firstIndex(of: ":") else {
                throw error("part \(number) has a header without a colon")
            }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...]
                .trimmingCharacters(in: .whitespaces)
        }
        return headers
    }

    private static func error(_ reason: String) -> DocumentError { .syntax(.multipart, reason) }
}
