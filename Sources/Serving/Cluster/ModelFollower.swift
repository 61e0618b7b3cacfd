import Gallery
import Inference
import Logging
import Tensor

/// Has a server answer with the model that is active for all that share its database, and get ready the one that is to be next.
///
/// From the moment it hears that another model may be active until it answers with it, the server is out of step and answers nothing.
package actor ModelFollower {
    private struct Failure {
        let reason: String
        let until: ContinuousClock.Instant
        let pause: Duration
    }

    private static let (shortestPause, longestPause) = (Duration.seconds(1), Duration.seconds(60))

    private let ledger: any SharedLedger
    private let models: ModelRegistry
    private let catalog: ModelCatalog
    private let files: SharedModels
    private let help: EmbeddingHelp
    private let logger: Logger
    /// One that this server's activation has loaded, so that it is not loaded twice.
    private var lent: (any TripleEncoder)?
    /// One that embeds what is enrolled already, and not yet what is enrolled now.
    private var helping: (any TripleEncoder)?
    private var failures: [String: Failure] = [:]
    private var running: Task<Void, Never>?

    init(
        _ ledger: any SharedLedger, _ models: ModelRegistry, _ catalog: ModelCatalog, _ files: SharedModels,
        _ help: EmbeddingHelp, _ logger: Logger
    ) {
        (self.ledger, self.models, self.catalog) = (ledger, models, catalog)
        (self.files, self.help, self.logger) = (files, help, logger)
    }

    /// From now on news put the server out of step until a turn knows better. Takes the first turn.
    func begin(_ gallery: GalleryStore) async {
        models.step.suspect()
        gallery.observe { [step = models.step] in if $0 == .activeModel { step.suspect() } }
        await turn()
    }

    /// The activation that lends one embeds by itself.
    func lend(_ encoder: (any TripleEncoder)?) async {
        lent = encoder
        if encoder != nil { await help.end()?.value }
    }

    /// Embeds no more.
    func end() async { await help.end()?.value }

    /// Does what there is to do, one turn at a time.
    func turn() async {
        while let running { await running.value }
        let task = Task {
            do { try await follow(ledger.modelPlan()) } catch {
                logger.warning("which model is active was not read", metadata: ["error": "\(error)"])
            }
            running = nil
        }
        running = task
        await task.value
    }

    private func follow(_ plan: ModelPlan) async throws {
        if let active = plan.active, active != models.active.model {
            do { try await adopt(active) } catch {
                return models.step.leave("it cannot load the model that is active: \(error)")
            }
        }
        guard let candidate = plan.candidate, candidate.model != models.active.model else {
            failures = [:]
            return await dismiss()
        }
        if candidate.takesEnrolments {
            try await prepare(candidate.model, plan.preparations.first { $0.member == ledger.member })
        } else {
            await lookAhead(to: candidate.model)
        }
        guard lent?.model != candidate.model, let encoder = models.candidate ?? helping,
            encoder.model == candidate.model
        else { return }
        await help.begin(candidate, encoder)
    }

    /// There is no candidate.
    private func dismiss() async {
        let isHeld = models.candidate != nil || helping != nil
        models.dismiss()
        helping = nil
        models.step.enter()
        await help.end()
        if isHeld { BufferPool.shared.drainSoon() }
    }

    /// Gets a model ready that embeds what is enrolled already. A server that cannot load it leaves that to the others.
    private func lookAhead(to candidate: String) async {
        models.step.enter()
        if models.candidate != nil { models.dismiss() }
        if lent?.model == candidate || helping?.model == candidate { return }
        helping = nil
        helping = try? await load(candidate)
    }

    private func adopt(_ active: String) async throws {
        if models.candidate?.model == active {
            models.promote()
        } else {
            models.step.suspect()
            models.become(try await load(active))
        }
        BufferPool.shared.drainSoon()
        logger.info("model active", metadata: ["model": "\(active)"])
    }

    /// Has what is enrolled here be embedded by the candidate too, and says so once that is true of all that comes.
    private func prepare(_ candidate: String, _ said: ModelPlan.Preparation?) async throws {
        if models.candidate?.model != candidate {
            if failures[candidate] == nil { models.step.enter() }
            do { models.prepare(try await load(candidate)) } catch {
                models.step.leave("it cannot load the model that is about to be active: \(error)")
                if said?.failure != "\(error)" { try await ledger.prepared(candidate, failure: "\(error)") }
                return
            }
        }
        helping = nil
        models.step.enter()
        guard said == nil || said?.failure != nil else { return }
        while models.hasEarlierEnrolments { try await Task.sleep(for: .milliseconds(5)) }
        try await ledger.prepared(candidate, failure: nil)
    }

    /// Throws what it threw last for a while, so that a broken file is not read every second.
    private func load(_ model: String) async throws -> any TripleEncoder {
        if let known = [lent, helping].compactMap(\.self).first(where: { $0.model == model }) { return known }
        let earlier = failures[model]
        if let earlier, earlier.until > .now { throw ModelError.refused(reason: earlier.reason) }
        do {
            guard try await files.fetch(model) else { throw ModelError.notFound(model) }
            let encoder = try await catalog.encoder(model)
            failures = [:]
            return encoder
        } catch {
            let reason = if case ModelError.refused(let reason) = error { reason } else { "\(error)" }
            let pause = earlier.map { min($0.pause * 2, Self.longestPause) } ?? Self.shortestPause
            failures[model] = Failure(reason: reason, until: .now + pause, pause: pause)
            logger.error("model not loaded", metadata: ["model": "\(model)", "error": "\(error)"])
            throw ModelError.refused(reason: reason)
        }
    }
}
