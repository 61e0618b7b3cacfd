import Documents
import Foundation
import Gallery
import Inference

/// The exchange of models where servers share a database: run by the leader, and made by all at once.
///
/// The candidate is written down, and every server that can load it embeds some of what is enrolled already. Then every server embeds
/// with it what is enrolled there. Once all have said so and nothing is lacking, it becomes the active model, and each server answers
/// with it or not at all. A sighting that a server of which nothing was heard enrols without it is refused by the database.
extension Activation {
    /// For how long servers that are there may say nothing.
    private static let patience = Duration.seconds(900)

    /// Throws as `run` does. Unless the job goes on elsewhere, there is no candidate any more then.
    func runShared(_ job: JobHandle, _ cluster: ServingCluster) async throws -> JobRecord {
        do {
            let record = try await exchange(job, cluster)
            await cluster.follower.lend(nil)
            return record
        } catch {
            await cluster.follower.lend(nil)
            if await !job.goesOn(after: error) {
                // Not in the job's task, which may have been cancelled. Else the leader finds a candidate without a job.
                let withdrawing = Task {
                    try? await cluster.ledger.withdrawCandidate(of: job.job.id)
                    await cluster.follower.turn()
                }
                await withdrawing.value
            }
            throw error
        }
    }

    private func exchange(_ job: JobHandle, _ cluster: ServingCluster) async throws -> JobRecord {
        let standIn = try standIn()
        let candidate = { ModelPlan.Candidate(model: model, job: job.job.id, standIn: standIn, takesEnrolments: $0) }
        let encoder = try await parts.catalog.encoder(model)
        await cluster.follower.lend(encoder)
        var embedding = SharedEmbedding(
            candidate(true), cluster.ledger,
            BackgroundEmbedder(
                encoder: encoder, encoding: parts.encoding, gallery: parts.gallery, standIn: standIn,
                share: parts.swap.share))
        if parts.keepsImages {
            try await cluster.ledger.nominate(candidate(false))
            try await embedBacklog(&embedding, job, cluster)
        }
        try await cluster.ledger.nominate(candidate(true))
        await cluster.follower.turn()
        let unprepared = try await unprepared(cluster)
        while true {
            try await embedAll(&embedding, job, cluster)
            try await beforeSwitch()
            guard let place = try await cluster.ledger.embeddedPlace(of: model) else { continue }
            let shares = try await cluster.ledger.shares(of: job.job.id)
            let record = try await job.finished(Self.result(shares, unprepared))
            let shift = try await shift()
            // Here too nothing is answered by the old model once the new one is active.
            parts.models.step.suspect()
            let isActive: Bool
            do {
                isActive = try await cluster.ledger.activate(
                    candidate(true), embeddedTo: place, finishing: record, moving: shift)
            } catch {
                await cluster.follower.turn()
                throw error
            }
            await cluster.follower.turn()
            if isActive { return record }
        }
    }

    private static func result(_ shares: [String: Int], _ unprepared: [String: String]) -> JSONValue {
        var result: [String: JSONValue] = ["embedded": .integer(shares.values.reduce(0, +))]
        if shares.count > 1 { result["embedded_by"] = .object(shares.mapValues(JSONValue.integer)) }
        if !unprepared.isEmpty { result["servers_out_of_step"] = .object(unprepared.mapValues(JSONValue.string)) }
        return .object(result)
    }

    /// Embeds, with the others that can, as much as is lacking now: what is enrolled meanwhile would never end.
    private func embedBacklog(
        _ embedding: inout SharedEmbedding, _ job: JobHandle, _ cluster: ServingCluster
    ) async throws {
        let total = try await embedded(job, cluster) + lacking
        repeat {
            let done = try await embedded(job, cluster)
            await job.report(done, of: max(total, done))
            if done >= total { return }
        } while try await embedding.step()
    }

    /// Embeds with the others until nothing is lacking. What others are at and do not get done, since they hang or have little time
    /// for it, is not waited for for ever.
    private func embedAll(
        _ embedding: inout SharedEmbedding, _ job: JobHandle, _ cluster: ServingCluster
    ) async throws {
        var pause = GrowingPause(.milliseconds(50)...(.seconds(1)))
        var (last, since) = (-1, ContinuousClock.now)
        while true {
            while try await embedding.step() { pause.reset() }
            let (done, left) = (try await embedded(job, cluster), try await lacking)
            await job.report(done, of: done + left)
            if left == 0 { return }
            if done != last { (last, since) = (done, .now) }
            if .now - since > parts.swap.patience {
                try await embedding.takeOver()
            } else {
                try await pause.rest()
            }
        }
    }

    /// How many sightings all servers together have embedded for a job.
    private func embedded(_ job: JobHandle, _ cluster: ServingCluster) async throws -> Int {
        try await cluster.ledger.shares(of: job.job.id).values.reduce(0, +)
    }

    private var lacking: Int {
        get async throws { try await parts.gallery.lacking(model: model, standIn: nil).sightings }
    }

    /// Waits until every server that is there has the candidate or cannot load it; gives the names of the latter, and why.
    private func unprepared(_ cluster: ServingCluster) async throws -> [String: String] {
        let end = ContinuousClock.now + Self.patience
        while true {
            let members = try await parts.gallery.members().filter(\.isLive)
            let said = try await cluster.ledger.modelPlan().preparations
            let silent = members.filter { member in !said.contains { $0.member == member.id } }
            if silent.isEmpty || .now > end {
                var reasons = Dictionary(silent.map { ($0.name, "nothing was heard of it") }) { first, _ in first }
                for member in members {
                    if let failure = said.first(where: { $0.member == member.id })?.failure {
                        reasons[member.name] = failure
                    }
                }
                return reasons
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
