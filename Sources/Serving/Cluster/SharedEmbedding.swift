import Gallery
import Inference
import Logging

/// Embeds with the candidate what is enrolled, together with the other servers: each takes some sightings, and leaves those to the
/// others that they are at. Of a server that ends in the middle others take them.
struct SharedEmbedding: Sendable {
    private let candidate: ModelPlan.Candidate
    private let ledger: any SharedLedger
    private let embedder: BackgroundEmbedder
    /// Those before it were embedded, or somebody is at them.
    private var place: Int64 = 0

    init(_ candidate: ModelPlan.Candidate, _ ledger: any SharedLedger, _ embedder: BackgroundEmbedder) {
        (self.candidate, self.ledger, self.embedder) = (candidate, ledger, embedder)
    }

    /// Takes some, and has them embedded and written down. Throws as `BackgroundEmbedder.embed` does, and `CancellationError` if
    /// the candidate is none any more.
    /// - Returns: false if there are none to take: nothing is lacking, or others are at what is.
    mutating func step() async throws -> Bool {
        var batch = try await take()
        if batch.isEmpty, place > 0 {
            // What somebody was at who has ended.
            place = 0
            batch = try await take()
        }
        guard let last = batch.last else { return false }
        place = last.key
        do {
            try await ledger.add(embedder.embed(batch), of: candidate)
        } catch {
            await ledger.giveBack(batch)
            throw error
        }
        await ledger.giveBack(batch)
        return true
    }

    /// Embeds some of what is lacking, whoever is at it. What the other makes of it after all is not counted. Throws as `step` does.
    func takeOver() async throws {
        let batch = try await embedder.gallery.pendingBatch(
            model: candidate.model, limit: BackgroundEmbedder.atOnce, after: 0)
        try await ledger.add(embedder.embed(batch.sightings), of: candidate)
    }

    private func take() async throws -> [PendingSighting] {
        try await ledger.takePending(candidate, limit: BackgroundEmbedder.atOnce, after: place)
    }
}

/// A pause that grows for as long as there is nothing to do.
struct GrowingPause {
    private let bounds: ClosedRange<Duration>
    private var next: Duration

    init(_ bounds: ClosedRange<Duration>) { (self.bounds, next) = (bounds, bounds.lowerBound) }

    mutating func rest() async throws {
        try await Task.sleep(for: next)
        next = min(next * 2, bounds.upperBound)
    }

    mutating func reset() { next = bounds.lowerBound }
}

/// Has a server take its part in what others embed, while an activation runs at the leader.
actor EmbeddingHelp {
    /// After an error: who runs the activation comes upon it too, and says so.
    private static let rest = Duration.seconds(30)

    private let ledger: any SharedLedger
    private let step: ModelStep
    private let logger: Logger
    private let embedder: @Sendable (any TripleEncoder, ModelPlan.Candidate) -> BackgroundEmbedder
    private var work: (job: String, task: Task<Void, Never>)?

    init(
        _ ledger: any SharedLedger, _ step: ModelStep, _ logger: Logger,
        _ embedder: @escaping @Sendable (any TripleEncoder, ModelPlan.Candidate) -> BackgroundEmbedder
    ) {
        (self.ledger, self.step, self.logger, self.embedder) = (ledger, step, logger, embedder)
    }

    /// Helps with a candidate until told to end, unless it does so already.
    func begin(_ candidate: ModelPlan.Candidate, _ encoder: any TripleEncoder) {
        if work?.job == candidate.job { return }
        work?.task.cancel()
        logger.info("helps to embed", metadata: ["model": "\(candidate.model)", "job": "\(candidate.job)"])
        let embedding = SharedEmbedding(candidate, ledger, embedder(encoder, candidate))
        work = (candidate.job, Task { await help(embedding) })
    }

    /// Waits for nothing; the task that is given ends soon.
    @discardableResult func end() -> Task<Void, Never>? {
        defer { work = nil }
        work?.task.cancel()
        return work?.task
    }

    private nonisolated func help(_ embedding: SharedEmbedding) async {
        var (embedding, pause) = (embedding, GrowingPause(.milliseconds(250)...(.seconds(4))))
        while !Task.isCancelled {
            do {
                // Out of step it answers nothing, and something of it is not in order.
                if step.objection == nil, try await embedding.step() { pause.reset() } else { try await pause.rest() }
            } catch is CancellationError {
                return
            } catch {
                logger.warning("sightings were left to others to embed", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: Self.rest)
            }
        }
    }
}
