import Documents
import Foundation

/// A `multipart/form-data` body (RFC 7578) of images and options.
struct MultipartForm {
    private let boundary = "triptych-\(UUID().uuidString)"
    private var body = Data()

    /// Adds a file.
    mutating func add(_ name: String, _ bytes: Data) {
        append("Content-Disposition: form-data; name=\"\(name)\"; filename=\"\(name)\"", bytes)
    }

    /// Adds a JSON part.
    mutating func add(_ name: String, json: [String: JSONValue]) throws {
        append(
            "Content-Disposition: form-data; name=\"\(name)\"\r\nContent-Type: application/json",
            try Wire.encoder().encode(JSONValue.object(json)))
    }

    private mutating func append(_ headers: String, _ bytes: Data) {
        body += Data("--\(boundary)\r\n\(headers)\r\n\r\n".utf8) + bytes + Data("\r\n".utf8)
    }

    /// As a request sends it.
    var encoded: Request.Body {
        .data(body + Data("--\(boundary)--\r\n".utf8), type: "multipart/form-data; boundary=\(boundary)")
    }
}
