import Documents
import Gallery

/// Looks for identities that nobody has named and that are one, as a job.
package struct GroupingService: Sendable {
    let models: ModelRegistry
    let gallery: GalleryStore
    let jobs: JobBoard

    /// Groups that are told; `count` says how many there are.
    private static let mostGroups = 1000

    /// Starts the job. Throws `GalleryError.notFound` for the gallery, `.invalid`, or `ModelError.tooManyJobs`.
    package func start(in gallery: String, threshold: Float) async throws -> JobStatus {
        let summary = try await self.gallery.gallery(gallery)
        let model = models.active.model
        let job = JobRecord(kind: JobKind.grouping.rawValue)
        try await jobs.start(job, .grouping) { [store = self.gallery] handle in
            let groups = try await store.groups(in: gallery, model: model, threshold: threshold) { done in
                try Task.checkCancellation()
                await handle.report(done, of: max(summary.identities, done))
            }
            let told = groups.prefix(Self.mostGroups).map { group in
                JSONValue.object([
                    "identities": .array(group.identities.map(JSONValue.string)), "score": .number(Double(group.score)),
                ])
            }
            return try await handle.finished(
                .object(["model": .string(model), "count": .integer(groups.count), "groups": .array(told)]))
        }
        return try await jobs.job(job.id)
    }
}
