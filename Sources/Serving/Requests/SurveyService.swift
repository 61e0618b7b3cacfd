import Documents
import Gallery

/// Looks through a whole gallery, as a job, and changes nothing of what is enrolled. Analyses, which are kept, are in
/// `SurveyService+Analyses.swift`.
package struct SurveyService: Sendable {
    let models: AnsweringModels
    let gallery: GalleryStore
    let jobs: JobBoard

    /// Groups that are told; `count` says how many there are.
    private static let mostGroups = 1000

    /// Looks for identities that nobody has named and that are one. Throws `GalleryError.notFound` for the gallery, `.invalid`,
    /// `ModelError.tooManyJobs`, or `ServingError.outOfStep`.
    package func group(_ gallery: String, threshold: Float) async throws -> JobStatus {
        let (identities, model) = try await (self.gallery.gallery(gallery).identities, models.current().model)
        return try await start(.grouping, gallery) { [store = self.gallery] handle in
            let groups = try await store.groups(in: gallery, model: model, threshold: threshold) { done in
                try Task.checkCancellation()
                await handle.report(done, of: max(identities, done))
            }
            let told = groups.prefix(Self.mostGroups).map { group in
                JSONValue.object([
                    "identities": .array(group.identities.map(JSONValue.string)), "score": .number(Double(group.score)),
                ])
            }
            return ["model": .string(model), "count": .integer(groups.count), "groups": .array(told)]
        }
    }

    /// Proposes thresholds for a share of newcomers that may be taken for somebody, and sets them if `applies`. Throws as above.
    package func calibrate(
        _ gallery: String, falseMatchRate rate: Double, samples: Int, applies: Bool
    ) async throws -> JobStatus {
        try await self.gallery.requireGallery(gallery)
        let model = try await models.current().model
        return try await start(.calibration, gallery) { [store = self.gallery] handle in
            let found = try await store.calibrate(
                in: gallery, model: model, falseMatchRate: rate, samples: samples
            ) { done, total in
                try Task.checkCancellation()
                await handle.report(done, of: total)
            }
            if applies {
                try await store.setThresholds(
                    found.map {
                        MatchThreshold(model: model, modalities: $0.modalities, threshold: $0.point.threshold)
                    }, model: model, in: gallery)
            }
            return [
                "model": .string(model), "applied": .bool(applies), "thresholds": .array(found.map(Self.json)),
            ]
        }
    }

    func start(
        _ kind: JobKind, _ gallery: String, _ work: @escaping @Sendable (JobHandle) async throws -> [String: JSONValue]
    ) async throws -> JobStatus {
        let job = JobRecord(kind: kind.rawValue, gallery: gallery)
        try await jobs.start(job, kind) { try await $0.finished(.object(work($0))) }
        return try await jobs.job(job.id)
    }

    private static func json(_ found: Calibration) -> JSONValue {
        let interval = { (interval: Calibration.Interval) in
            JSONValue.array([.number(interval.low), .number(interval.high)])
        }
        let point = { (point: Calibration.Point) -> [String: JSONValue] in
            [
                "threshold": .number(Double(point.threshold)), "false_match_rate": .number(point.falseMatchRate),
                "miss_rate": .number(point.missRate),
            ]
        }
        return .object(
            point(found.point).merging([
                "modalities": .array(found.modalities.map(JSONValue.string)),
                "threshold_interval": interval(found.threshold), "miss_rate_interval": interval(found.missRate),
                "samples": .integer(found.samples), "known": .integer(found.known),
                "identities": .integer(found.identities), "curve": .array(found.curve.map { .object(point($0)) }),
            ]) { $1 })
    }
}
