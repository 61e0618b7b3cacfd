import Crypto
import Documents
import Foundation
import Gallery
import Inference

/// A line of an import: a sighting, or an identity beforehand.
struct ImportLine: Sendable {
    /// What is enrolled.
    enum Content: Sendable {
        case sighting(NewSighting)
        case identity(String, label: String?, metadata: Metadata)
    }

    let content: Content

    /// Reads a JSON object. A sighting without a key of its own gets one of the line's contents, so that sending it again
    /// enrols nothing. Throws `DocumentError`.
    init(_ line: Data) throws(DocumentError) {
        var reader = JSONReader(line, limits: .request)
        var images: [Modality: Data] = [:]
        var others: [String: JSONValue] = [:]
        try reader.object("") { key, reader throws(DocumentError) in
            if key == "images" {
                images = try Self.images(&reader)
            } else {
                others[key] = try reader.value()
            }
        }
        try reader.end()
        var fields = Fields(members: others)
        content = try Self.content(&fields, images, line)
        try fields.finish()
    }

    private static func content(
        _ fields: inout Fields, _ images: [Modality: Data], _ line: Data
    ) throws(DocumentError) -> Content {
        let identity = try fields.require("identity", .string)
        let label = try fields.string("label")
        let metadata = try fields.metadata("metadata") ?? [:]
        let vectors = try fields.vectors()
        if images.isEmpty && vectors == nil {
            return .identity(identity, label: label, metadata: metadata)
        }
        var sighting = NewSighting(identity: identity, images: images, vectors: vectors)
        (sighting.identityLabel, sighting.metadata) = (label, metadata)
        sighting.camera = try fields.string("camera")
        sighting.capturedAt = try fields.date("captured_at")
        sighting.idempotencyKey =
            try fields.string("idempotency_key") ?? "import:\(SHA256.hash(data: line).hexadecimal)"
        return .sighting(sighting)
    }

    private static func images(_ reader: inout JSONReader) throws(DocumentError) -> [Modality: Data] {
        var images: [Modality: Data] = [:]
        try reader.object("images") { key, reader throws(DocumentError) in
            guard let modality = Modality(rawValue: key) else {
                throw .unknownField("images.\(key.prefix(64))", expected: Modality.allCases.map(\.rawValue))
            }
            images[modality] = try reader.base64("images.\(key)")
        }
        return images
    }
}

extension Sequence<UInt8> {
    /// Two digits a byte.
    var hexadecimal: String { map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}
