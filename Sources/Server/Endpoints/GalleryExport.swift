import Documents
import Foundation
import Gallery

/// A gallery on its way out: identities in their order, then sightings in theirs, so that imported anew, equal scores rank as they
/// did. Read a few at a time, as the client takes them; what changes meanwhile may be in it or not.
struct GalleryExport: Sendable {
    let gallery: GalleryStore
    let name: String
    /// Whose vectors are in it.
    let model: String

    /// Lines of JSON, images inline.
    func lines(_ write: (Data) async throws -> Void) async throws {
        try await eachPage { try await write($0) }
        try await eachBatch { sightings in
            for sighting in sightings { try await write(Self.line(SightingLine(sighting))) }
        }
    }

    /// A tar archive: files of lines, each before the images that it names.
    func archive(_ write: (Data) async throws -> Void) async throws {
        var number = 0
        func add(_ lines: Data) async throws {
            number += 1
            let digits = String(number)
            let zeros = String(repeating: "0", count: max(0, 6 - digits.count))
            try await self.add(lines, "lines/\(zeros)\(digits).ndjson", write)
        }
        try await eachPage { try await add($0) }
        try await eachBatch { sightings in
            let lines = sightings.map { SightingLine($0, naming: Self.path) }
            try await add(try lines.reduce(into: Data()) { $0 += try Self.line($1) })
            for sighting in sightings {
                for image in sighting.images { try await self.add(image.bytes, Self.path(sighting, image), write) }
            }
        }
        try await write(Data(TarWriter.end))
    }

    private func add(_ bytes: Data, _ name: String, _ write: (Data) async throws -> Void) async throws {
        try await write(Data(TarWriter.header(name, size: bytes.count)) + bytes + TarWriter.padding(bytes.count))
    }

    private static func path(_ sighting: ExportedSighting, _ image: KeptImage) -> String {
        let ending = image.contentType == "image/png" ? "png" : "jpg"
        return "images/\(sighting.record.id)/\(image.modality).\(ending)"
    }

    private func eachPage(_ body: (Data) async throws -> Void) async throws {
        var cursor: String?
        repeat {
            let page = try await gallery.identities(in: name, PageRequest(limit: 1000, after: cursor))
            let apart = try await gallery.distinctions(of: page.items.map(\.id), in: name)
            if !page.items.isEmpty {
                try await body(
                    page.items.reduce(into: Data()) { $0 += try Self.line(IdentityLine($1, apart[$1.id] ?? [])) })
            }
            cursor = page.next
        } while cursor != nil
    }

    private func eachBatch(_ body: ([ExportedSighting]) async throws -> Void) async throws {
        var key: Int64? = 0
        while let start = key {
            let batch = try await gallery.exportBatch(in: name, model: model, after: start)
            if !batch.sightings.isEmpty { try await body(batch.sightings) }
            key = batch.next
        }
    }

    private static func line(_ value: some Encodable) throws -> Data {
        try Answer.encoder().encode(value) + Data("\n".utf8)
    }
}

private struct IdentityLine: Encodable {
    let identity: String
    let label: String?
    let metadata: Metadata
    let watchlist: Bool?
    /// Of lines before this one.
    let distinctFrom: [String]?

    init(_ record: IdentityRecord, _ distinctions: [Distinction]) {
        (identity, label, metadata) = (record.id, record.label, record.metadata)
        watchlist = record.watchlist ? true : nil
        let earlier = distinctions.filter(\.isEarlier).map(\.identity)
        distinctFrom = earlier.isEmpty ? nil : earlier
    }
}

/// Vectors and images are base64.
private struct SightingLine: Encodable {
    let identity: String
    let camera: String?
    let capturedAt: Date?
    let metadata: Metadata
    let idempotencyKey: String
    var images: [String: Data]?
    var files: [String: String]?
    let boxes: [String: PixelBox]?
    var model: String?
    var vectors: [String: Data]?
    var vector: Data?
    var modalities: [String]?

    /// Images inline, or by the names of files.
    init(_ sighting: ExportedSighting, naming path: ((ExportedSighting, KeptImage) -> String)? = nil) {
        let record = sighting.record
        (identity, camera, capturedAt, metadata) = (record.identity, record.camera, record.capturedAt, record.metadata)
        idempotencyKey = "export:\(record.id)"
        boxes = record.boxes.isEmpty ? nil : record.boxes
        if let path {
            files = Self.byModality(sighting.images.map { ($0.modality, path(sighting, $0)) })
        } else {
            images = Self.byModality(sighting.images.map { ($0.modality, $0.bytes) })
        }
        guard let embedding = sighting.embedding else { return }
        model = embedding.model
        if embedding.isFused, let fused = embedding.vectors.first {
            (vector, modalities) = (Self.bytes(fused.values), fused.modalities)
        } else {
            vectors = Self.byModality(
                embedding.vectors.map { ($0.modalities.joined(separator: "+"), Self.bytes($0.values)) })
        }
    }

    private static func byModality<Value>(_ pairs: [(String, Value)]) -> [String: Value]? {
        pairs.isEmpty ? nil : Dictionary(uniqueKeysWithValues: pairs)
    }

    private static func bytes(_ values: [Float]) -> Data {
        values.reduce(into: Data()) { data, value in
            withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
        }
    }
}
