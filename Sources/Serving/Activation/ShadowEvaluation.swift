import Documents
import Foundation
import Gallery
import Inference

/// Compares a model with the active one on a sample of what is enrolled, without changing anything.
struct ShadowEvaluation: Sendable {
    /// Sightings that are compared, at most.
    static let sample = 200

    let model: String
    let parts: Activation.Parts

    /// Throws `ModelError`, `GalleryError`, `ServingError`, or `CancellationError`.
    func run(_ job: JobHandle) async throws -> JobRecord {
        let (active, candidate) = (parts.models.active, try await parts.catalog.encoder(model))
        let rows = try await parts.gallery.sample(count: Self.sample)
        var (pairs, identities) = ([[EncodingService.Encoded]](), [Int64]())
        for (index, row) in rows.enumerated() {
            try Task.checkCancellation()
            await job.report(index, of: rows.count)
            guard let sighting = try await parts.gallery.sampled(row),
                let pair = try await encoded(sighting, [active, candidate])
            else { continue }
            pairs.append(pair)
            identities.append(sighting.identity)
        }
        let report = ShadowReport(
            active: pairs.map(\.[0].embedding.values), candidate: pairs.map(\.[1].embedding.values),
            identities: identities)
        let bytes = [active, candidate].map { encoder in (try? parts.catalog.summary(encoder.model))?.bytes }
        let milliseconds = (0..<2).map { side in
            Self.median(pairs.map { $0[side].encodeMilliseconds })
        }
        var result = report.json
        result["active"] = .string(active.model)
        result["milliseconds"] = .object(["active": .number(milliseconds[0]), "candidate": .number(milliseconds[1])])
        result["file_bytes"] = .object(
            ["active": bytes[0].map(JSONValue.integer) ?? .null, "candidate": bytes[1].map(JSONValue.integer) ?? .null])
        return try await job.finished(.object(result))
    }

    /// What both make of a sighting, one right after the other, so that they are timed alike; nil if either knows none of
    /// its modalities.
    private func encoded(
        _ sighting: SampledSighting, _ encoders: [any TripleEncoder]
    ) async throws -> [EncodingService.Encoded]? {
        var results: [EncodingService.Encoded] = []
        for encoder in encoders {
            guard
                let encoded = try await parts.encoding.encodeInBackground(
                    sighting.images, with: encoder, share: parts.swap.share)
            else { return nil }
            results.append(encoded)
        }
        return results
    }

    private static func median(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.sorted()[values.count / 2]
    }
}
