import Foundation

/// A `multipart/form-data` body (RFC 7578).
struct MultipartForm {
    private let boundary = "triptych-\(UUID().uuidString)"
    private var body = Data()

    /// Adds a file part.
    mutating func add(_ name: String, file: String, type: String, _ bytes: Data) {
        add("Content-Disposition: form-data; name=\"\(name)\"; filename=\"\(file)\"\r\nContent-Type: \(type)", bytes)
    }

    /// Adds a JSON part.
    mutating func add(_ name: String, json: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        add(
            "Content-Disposition: form-data; name=\"\(name)\"\r\nContent-Type: application/json",
            try encoder.encode(json))
    }

    private mutating func add(_ headers: String, _ bytes: Data) {
        body += Data("--\(boundary)\r\n\(headers)\r\n\r\n".utf8) + bytes + Data("\r\n".utf8)
    }

    /// The content type and the finished body.
    var encoded: (type: String, data: Data) {
        ("multipart/form-data; boundary=\(boundary)", body + Data("--\(boundary)--\r\n".utf8))
    }
}
