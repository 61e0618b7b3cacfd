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
        case identity(NewIdentity)
    }

    let content: Content

    /// Reads a JSON object. A sighting without a key of its own gets one of the line's contents and those of the files that it
    /// names, so that sending it again enrols nothing. Throws `DocumentError`, or `FileError`.
    ///
    /// - Parameters:
    ///   - archive: where files are.
    ///   - longest: bytes of a file.
    init(_ line: Data, archive: ImportArchive?, longest: Int) throws {
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
        var hash = SHA256()
        hash.update(data: line)
        for (modality, file) in try Self.files(&fields, archive, longest) {
            guard images.updateValue(file, forKey: modality) == nil else {
                throw DocumentError.invalid(
                    field: "files.\(modality.rawValue)", expected: "an image once", found: "also in images")
            }
            hash.update(data: file)
        }
        let sent = try [Modality: SentImage](images, &fields)
        content = try Self.content(&fields, sent, key: "import:\(hash.finalize().hexadecimal)")
        try fields.finish()
    }

    /// In the order of modalities.
    private static func files(
        _ fields: inout Fields, _ archive: ImportArchive?, _ longest: Int
    ) throws -> [(Modality, Data)] {
        guard var names = try fields.object("files") else { return [] }
        guard let archive else {
            throw DocumentError.invalid(
                field: "files", expected: "images inline, since no archive was sent", found: "names of files")
        }
        var files: [(Modality, Data)] = []
        for modality in Modality.allCases.sorted() {
            guard let name = try names.string(modality.rawValue) else { continue }
            files.append((modality, try archive.bytes(of: name, "files.\(modality.rawValue)", longest: longest)))
        }
        try names.finish()
        return files
    }

    private static func content(
        _ fields: inout Fields, _ images: [Modality: SentImage], key: String
    ) throws(DocumentError) -> Content {
        let identity = try fields.require("identity", .string)
        let label = try fields.string("label")
        let metadata = try fields.metadata("metadata") ?? [:]
        let vectors = try fields.vectors()
        if images.isEmpty && vectors == nil {
            let watchlist = try fields.bool("watchlist") ?? false
            let others = try fields.strings("distinct_from") ?? []
            return .identity(
                NewIdentity(
                    identity, label: label, metadata: metadata, watchlist: watchlist, distinctFrom: others))
        }
        var sighting = NewSighting(identity: identity, images: images, vectors: vectors)
        (sighting.identityLabel, sighting.metadata) = (label, metadata)
        sighting.camera = try fields.string("camera")
        sighting.capturedAt = try fields.date("captured_at")
        sighting.idempotencyKey =
            try fields.string("idempotency_key") ?? key
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
