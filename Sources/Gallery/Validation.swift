import Foundation
import Similarity

/// The rules that arguments keep before they reach the database. Each throws `GalleryError.invalid`.
enum Validation {
    static func require(_ condition: Bool, _ field: String, _ expected: String, _ found: @autoclosure () -> String)
        throws
    {
        guard condition else { throw GalleryError.invalid(field: field, expected: expected, found: found()) }
    }

    static func gallery(_ name: String) throws {
        let allowed = name.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        try require(
            (1...64).contains(name.utf8.count) && allowed && !isFolder(name), "gallery",
            "1 to 64 characters of A-Z a-z 0-9 . _ -, not . or ..", "'\(name.prefix(80))'")
    }

    static func identity(_ name: String) throws {
        try text(name, "identity", limit: 128)
        try require(!isFolder(name), "identity", "not . or ..", "'\(name)'")
    }

    /// What whoever tidies a path takes away: nobody could ask for it.
    private static func isFolder(_ name: String) -> Bool { name == "." || name == ".." }

    /// Printable: no control characters, no line breaks, no unassigned scalars; and no space at either end. The two
    /// joiners are part of ordinary Persian, Hindi and emoji.
    static func text(_ text: String, _ field: String, limit: Int) throws {
        let isPrintable = text.unicodeScalars.allSatisfy {
            if $0 == "\u{200C}" || $0 == "\u{200D}" { return true }
            switch $0.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse, .format:
                return false
            default: return true
            }
        }
        let isTrimmed = text.first?.isWhitespace != true && text.last?.isWhitespace != true
        try require(
            (1...limit).contains(text.unicodeScalars.count) && isPrintable && isTrimmed, field,
            "1 to \(limit) printable characters without spaces at the ends", "'\(text.prefix(80))'")
    }

    static func label(_ label: String?) throws {
        guard let label else { return }
        try text(label, "label", limit: 256)
    }

    static func retention(_ days: Int?) throws {
        guard let days else { return }
        try require((1...36500).contains(days), "retention_days", "1 to 36500 days", "\(days)")
    }

    static func metadata(_ metadata: Metadata) throws {
        try require(metadata.count <= 64, "metadata", "at most 64 keys", "\(metadata.count)")
        for (key, value) in metadata {
            try text(key, "metadata key", limit: 64)
            switch value {
            case .string(let text):
                try require(
                    text.utf8.count <= 1024 && !text.contains("\0"), "metadata.\(key)",
                    "at most 1024 bytes of text without NUL", "\(text.utf8.count) bytes")
            case .number(let number): try require(number.isFinite, "metadata.\(key)", "a finite number", "\(number)")
            case .bool: break
            }
        }
    }

    static func date(_ date: Date?, _ field: String) throws {
        guard let seconds = date?.timeIntervalSince1970 else { return }
        // As it will be kept: half a millisecond before the year 10000 is in it.
        try require(
            (-62_135_596_800_000..<253_402_300_800_000).contains((seconds * 1000).rounded()), field,
            "a time in the years 1 to 9999", "\(seconds) s since 1970")
    }

    static func limit(_ limit: Int) throws {
        try require((1...1000).contains(limit), "limit", "1 to 1000", "\(limit)")
    }

    static func modality(_ name: String) throws {
        let allowed = name.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"),
                UInt8(ascii: "-"):
                true
            default: false
            }
        }
        try require(
            (1...32).contains(name.utf8.count) && allowed, "modality", "1 to 32 characters of a-z 0-9 _ -",
            "'\(name.prefix(40))'")
    }

    static func distinct(_ names: [String], _ field: String) throws {
        try require(Set(names).count == names.count, field, "each at most once", names.joined(separator: ", "))
    }

    static func embedding(_ embedding: SightingEmbedding) throws {
        try text(embedding.model, "model", limit: 128)
        try require(!embedding.modalities.isEmpty, "modalities", "at least one", "none")
        for modality in embedding.modalities { try Self.modality(modality) }
        try distinct(embedding.vectors.map(\.key), "vectors")
        for vector in embedding.vectors { try distinct(vector.modalities, "modalities") }
        let sets = 1 << min(embedding.modalities.count, SightingEmbedding.mostModalities)
        try require(
            !embedding.hasSets || embedding.vectors.count == sets - 1, "vectors",
            "one a modality, one for each set of them, or one of them all",
            embedding.vectors.map { $0.modalities.joined(separator: "+") }.joined(separator: "; "))
        for vector in embedding.vectors { try Self.vector(vector, embedding) }
    }

    private static func vector(_ vector: ModalityVector, _ embedding: SightingEmbedding) throws {
        let field = embedding.vectors.count == 1 ? "vector" : "vectors.\(vector.key)"
        let limit = SimilarityBlock.largestDimension
        try require(
            (1...limit).contains(vector.values.count), field, "1 to \(limit) elements", "\(vector.values.count)")
        let squares = vector.values.reduce(0) { $0 + Double($1) * Double($1) }
        try require(squares.isFinite && squares > 0, field, "finite elements, not all zero", "norm² \(squares)")
    }
}

extension Enrolment {
    /// - Parameter named: whether its identity has a name already.
    func validate(named: Bool = true) throws {
        if named { try Validation.identity(identity) }
        try Validation.label(identityLabel)
        if let camera { try Validation.text(camera, "camera", limit: 128) }
        try Validation.date(capturedAt, "captured_at")
        try Validation.metadata(metadata)
        for image in images {
            try Validation.modality(image.modality)
            try Validation.text(image.contentType, "content type", limit: 128)
        }
        try Validation.distinct(images.map(\.modality), "images")
        for embedding in embeddings { try Validation.embedding(embedding) }
        try Validation.distinct(embeddings.map(\.model), "embeddings")
        if let idempotency {
            try Validation.text(idempotency.key, "idempotency key", limit: 255)
            try Validation.text(idempotency.fingerprint, "idempotency fingerprint", limit: 255)
        }
    }
}

extension NewIdentity {
    func validate() throws {
        try Validation.identity(id)
        try Validation.label(label)
        try Validation.metadata(metadata)
        try Validation.distinct(distinctFrom + [id], "distinct_from")
    }
}

extension MatchThreshold {
    func validate() throws {
        try Validation.require(!modalities.isEmpty, "modalities", "at least one", "none")
        for modality in modalities { try Validation.modality(modality) }
        try Validation.distinct(modalities, "modalities")
        try Validation.require((-1...1).contains(threshold), "threshold", "a cosine, -1 to 1", "\(threshold)")
    }
}

extension Passage {
    func validate() throws {
        try Validation.embedding(embedding)
        try filter.validate()
        let most = SightingEmbedding.mostModalities
        try Validation.require(
            embedding.modalities.count <= most, "modalities", "at most \(most)", "\(embedding.modalities.count)")
        try Validation.require((1...16).contains(sightings.count), "sightings", "1 to 16 triples", "\(sightings.count)")
        try Validation.require((1...100).contains(limit), "limit", "1 to 100", "\(limit)")
        try Validation.require((0...2).contains(margin), "margin", "0 to 2", "\(margin)")
        if let threshold {
            try Validation.require((-1...1).contains(threshold), "threshold", "a cosine, -1 to 1", "\(threshold)")
        }
        for sighting in sightings { try sighting.validate(named: false) }
    }
}

extension GalleryQuery {
    func validate() throws {
        try Validation.require(exemplars.count <= 16, "exemplars", "at most 16", "\(exemplars.count)")
        for exemplar in exemplars { try Validation.embedding(exemplar) }
        let models = Set(exemplars.map(\.model)).count
        try Validation.require(models == 1, "exemplars", "vectors of one model", "of \(models)")
        try validateScore()
        try Validation.limit(limit)
        if let threshold {
            try Validation.require((-1...1).contains(threshold), "threshold", "a cosine, -1 to 1", "\(threshold)")
        }
        if let rerank {
            try Validation.require((2...1000).contains(rerank), "rerank", "2 to 1000 candidates", "\(rerank)")
        }
        try Validation.require(!explains || limit <= 100, "limit", "at most 100 with by_modality", "\(limit)")
        try Validation.require(!explainsExemplars || limit <= 100, "limit", "at most 100 with by_exemplar", "\(limit)")
        try filter.validate()
    }

    private func validateScore() throws {
        if score == .best { return }
        if case .meanOfBest(let count) = score {
            try Validation.require((1...100).contains(count), "score.mean_of_best", "1 to 100", "\(count)")
        }
        try Validation.require(grouping == .identity, "score", "best with group_by sighting", "another")
        try Validation.require(rerank == nil, "score", "best with rerank, which ranks sightings", "another")
    }
}

extension QueryFilter {
    func validate() throws {
        try Validation.date(capturedAfter, "captured_after")
        try Validation.date(capturedBefore, "captured_before")
        if let prefix = labelPrefix { try Validation.text(prefix, "label_prefix", limit: 256) }
        for (name, conditions) in [("metadata", metadata), ("exclude_metadata", excludeMetadata)] {
            try Validation.require(conditions?.count ?? 0 <= 64, name, "at most 64 keys", "\(conditions?.count ?? 0)")
            for (key, condition) in conditions ?? [:] { try condition.validate("\(name).\(key)") }
        }
    }
}
