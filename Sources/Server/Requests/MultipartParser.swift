import Foundation

/// Splits a `multipart/form-data` body (RFC 7578, RFC 2046 section 5.1) that has been received whole.
package struct MultipartParser {
    /// One part.
    package struct Part: Equatable {
        package let name: String
        package let contentType: String?
        package let bytes: Data
    }

    private static let mostHeaderBytes = 4096
    private let boundary: Data
    private let mostParts: Int

    /// From a content type's `boundary` parameter. Throws `RequestError.brokenMultipart` if it is absent or longer than
    /// RFC 2046's 70 characters.
    package init(contentType: String, mostParts: Int) throws(RequestError) {
        guard let value = HeaderParameters(contentType)["boundary"], (1...70).contains(value.utf8.count) else {
            throw .brokenMultipart("expected a boundary of 1 to 70 characters in the content type")
        }
        boundary = Data("--\(value)".utf8)
        self.mostParts = mostParts
    }

    /// The parts, in order. What comes before the first and after the last boundary is ignored. Throws
    /// `RequestError.brokenMultipart`. O(body).
    package func parts(of body: Data) throws(RequestError) -> [Part] {
        let body = Data(body)  // Indices from 0.
        guard var at = body.range(of: boundary)?.upperBound else {
            throw .brokenMultipart("the boundary does not occur")
        }
        var parts: [Part] = []
        let delimiter = Data("\r\n".utf8) + boundary
        while true {
            if body[at...].starts(with: Data("--".utf8)) { return parts }
            guard body[at...].starts(with: Data("\r\n".utf8)) else {
                throw .brokenMultipart("expected a line break after boundary \(parts.count + 1)")
            }
            at += 2
            guard parts.count < mostParts else { throw .brokenMultipart("more than \(mostParts) parts") }
            // A part may be empty of headers and content: then the delimiter's line break is the one just read.
            guard let end = body.range(of: delimiter, in: (at - 2)..<body.count) else {
                throw .brokenMultipart("part \(parts.count + 1) does not end")
            }
            parts.append(try part(body[at..<max(at, end.lowerBound)], number: parts.count + 1))
            at = end.upperBound
        }
    }

    private func part(_ content: Data, number: Int) throws(RequestError) -> Part {
        guard
            let blank = content.range(
                of: Data("\r\n\r\n".utf8),
                in: content.startIndex..<min(content.endIndex, content.startIndex + Self.mostHeaderBytes))
        else {
            throw .brokenMultipart("part \(number) has no headers, or more than \(Self.mostHeaderBytes) bytes of them")
        }
        let headers = try Self.headers(content[..<blank.lowerBound], number)
        let disposition = headers["content-disposition"] ?? ""
        guard disposition.lowercased().hasPrefix("form-data"), let name = HeaderParameters(disposition)["name"] else {
            throw .brokenMultipart("part \(number) has no name: expected Content-Disposition: form-data; name=\"…\"")
        }
        return Part(name: name, contentType: headers["content-type"], bytes: Data(content[blank.upperBound...]))
    }

    private static func headers(_ bytes: Data, _ number: Int) throws(RequestError) -> [String: String] {
        guard let text = String(data: bytes, encoding: .utf8) else {
            throw .brokenMultipart("the headers of part \(number) are not UTF-8")
        }
        var headers: [String: String] = [:]
        for line in text.components(separatedBy: "\r\n") {
            guard let colon = line.firstIndex(of: ":") else {
                throw .brokenMultipart("part \(number) has a header without a colon")
            }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...]
                .trimmingCharacters(in: .whitespaces)
        }
        return headers
    }
}

/// The parameters of a header's value, as in `form-data; name="rgb"` (RFC 9110, section 5.6.6).
struct HeaderParameters {
    private var values: [String: String] = [:]

    init(_ header: String) {
        var rest = header.drop { $0 != ";" }
        while rest.first == ";" {
            rest = rest.dropFirst().drop { $0 == " " || $0 == "\t" }
            let name = rest.prefix { $0 != "=" && $0 != ";" }
            rest = rest.dropFirst(name.count)
            guard rest.first == "=" else { continue }
            let (value, remainder) = Self.value(rest.dropFirst())
            // The first of two equal names counts.
            let key = name.trimmingCharacters(in: .whitespaces).lowercased()
            values[key] = values[key] ?? value
            rest = remainder.drop { $0 != ";" }
        }
    }

    subscript(name: String) -> String? { values[name] }

    /// A token or a quoted string, and what follows it.
    private static func value(_ text: Substring) -> (String, Substring) {
        guard text.first == "\"" else {
            let token = text.prefix { $0 != ";" }
            return (token.trimmingCharacters(in: .whitespaces), text.dropFirst(token.count))
        }
        var value = ""
        var rest = text.dropFirst()
        while let character = rest.popFirst(), character != "\"" {
            if character == "\\", let escaped = rest.popFirst() {
                value.append(escaped)
            } else {
                value.append(character)
            }
        }
        return (value, rest)
    }
}
