import Foundation
import Inference
import Synchronization
import Training

/// Shows a training run: one line rewritten on a terminal, plain lines otherwise.
final class TrainingDisplay: Sendable {
    private struct State {
        var start = Date()
        var lastShown = Date.distantPast
        /// When this process had done its first step: it warms up what the others find warm, so rates begin after it.
        var warm: Date?
        /// Since then.
        var (steps, images) = (0, 0)
        var loss: Float?
        var terms: [String: Float] = [:]
    }

    private let state = Mutex(State())
    private let isTerminal = isatty(STDERR_FILENO) == 1

    /// Shows an event, or not, if the last was shown a moment ago.
    @Sendable
    func show(_ event: Trainer.Event) {
        switch event {
        case .started(let identities, let sightings, let heldOut, let incomplete, let parameters, let steps):
            state.withLock { $0.start = Date() }
            line(
                "training \(parameters) parameters for \(steps) steps on \(sightings) triples of \(identities) "
                    + "identities; \(heldOut) triples are held out"
                    + (incomplete > 0 ? "; \(incomplete) lack a modality and are left out" : ""))
        case .resumed(let step): line("going on after step \(step)")
        case .initialized(let transfer):
            line(
                String(format: "initialised: %.1f %% of the backbone found; taken ", transfer.share * 100)
                    + PathGroups(transfer.taken).text
                    + (transfer.refitted.isEmpty ? "" : "; refitted " + PathGroups(transfer.refitted).text)
                    + (transfer.fresh.isEmpty ? "" : "; drawn at random " + PathGroups(transfer.fresh).text))
        case .held(let weights): line("\(weights) weights that were pruned stay zero")
        case .stepped(let record, let images, let total): step(record, images, total)
        case .validated(let validation):
            line(
                String(
                    format: "step %d: mAP %.3f, Rank-1 %.3f on %d held-out identities, %d triples", validation.step,
                    validation.metrics.mAP, validation.metrics.rank1, validation.identities, validation.sightings))
        case .stoppedEarly(let stage, let step, let best):
            line(
                "\(stage) ends early, after step \(step): none of its last validations was better than at step \(best)")
        case .waited(let waited, let total):
            line(String(format: "waited %.1f s for images, of %.1f s", waited / .seconds(1), total / .seconds(1)))
        case .finished(let digest, _): line("model \(digest)")
        case .interrupted(let step, let path):
            let run = URL(fileURLWithPath: path).deletingLastPathComponent().relativePath
            line("interrupted after step \(step); to go on: triptych train --resume \(run)")
        }
    }

    private func step(_ record: StepRecord, _ images: Int, _ total: Int) {
        let text = state.withLock { state -> String? in
            if state.warm == nil {
                state.warm = Date()
            } else {
                (state.steps, state.images) = (state.steps + 1, state.images + images)
            }
            state.loss = state.loss.map { 0.9 * $0 + 0.1 * record.loss } ?? record.loss
            state.terms.merge(record.terms) { 0.9 * $0 + 0.1 * $1 }
            let interval = isTerminal ? 0.2 : 10.0
            guard record.step + 1 == total || -state.lastShown.timeIntervalSinceNow >= interval else { return nil }
            state.lastShown = Date()
            return Self.text(record, state, total)
        }
        guard let text else { return }
        FileHandle.standardError.write(Data((isTerminal ? "\r\u{1B}[K\(text)" : "\(text)\n").utf8))
    }

    private static func text(_ record: StepRecord, _ state: State, _ total: Int) -> String {
        let done = record.step + 1
        let terms = state.terms.sorted { $0.key < $1.key }.map { String(format: "\($0.key) %.4f", $0.value) }
        var text = "\(record.stage) step \(done)/\(total), loss "
        text += String(
            format: "%.4f (\(terms.joined(separator: ", "))), learning rate %.2e", state.loss ?? 0,
            record.learningRate)
        if let warm = state.warm, state.steps > 0 {
            let elapsed = max(-warm.timeIntervalSinceNow, 1e-3)
            let left = elapsed / Double(state.steps) * Double(total - done)
            text += String(format: ", %.0f images/s", Double(state.images) / elapsed)
            if done < total { text += ", \(Progress.duration(left)) left" }
        }
        if done == total { text += ", took \(Progress.duration(-state.start.timeIntervalSinceNow))" }
        return text
    }

    /// Shows a line that stays.
    func line(_ text: String) {
        FileHandle.standardError.write(Data(((isTerminal ? "\r\u{1B}[K" : "") + text + "\n").utf8))
    }
}

/// Shows a pruning run: its fine-tuning as training is shown, and what was measured.
final class PruningDisplay: Sendable {
    private let training = TrainingDisplay()

    /// Shows an event.
    @Sendable
    func show(_ event: Pruner.Event) {
        switch event {
        case .training(let event): training.show(event)
        case .pruned(let target, let removed):
            training.line(String(format: "target %.3f: %.1f %% are removed", target, removed * 100))
        case .control: training.line("the parent, trained on for as many steps without pruning")
        case .measuring: training.line("measuring")
        case .measured(let model):
            let speeds = model.throughput.map { String(format: "%.2f× at %d", $0.speedup, $0.batch) }
            training.line(
                String(
                    format: "mAP %.3f, Rank-1 %.3f, %d parameters in the backbone, ", model.metrics.mAP,
                    model.metrics.rank1, model.size.backboneParameters) + "speed " + speeds.joined(separator: ", "))
        }
    }
}

/// Shows a quantising run.
final class QuantizationDisplay: Sendable {
    private let training = TrainingDisplay()

    /// Shows an event.
    @Sendable
    func show(_ event: Quantizer.Event) {
        switch event {
        case .quantized(let layers): training.line("\(layers) layers become narrow")
        case .fewSightings(let found, let expected):
            training.line("calibration: expected \(expected) sightings, found \(found): distances are rough")
        case .balanced(let layers, let distance, let without):
            training.line(
                String(
                    format: "mean of 1 - cosine %.6f with balanced channels in %d layers, %.6f without", distance,
                    layers, without))
        case .tuning(let step, let count, let loss):
            guard step * 10 / count > (step - 1) * 10 / count else { return }
            training.line(String(format: "fine-tuning step %d of %d: mean of 1 - cosine %.6f", step, count, loss))
        case .tuned(let distance, let without):
            training.line(String(format: "mean of 1 - cosine %.6f fine-tuned, %.6f without", distance, without))
        case .loss(let loss, let measure, let wider):
            let name = measure == .cosine ? "mean of 1 - cosine" : "mAP lost among the held-out identities"
            training.line(name + String(format: " %.6f with %d layers wider", loss, wider))
        case .layer(let path, let distance, let number, let count):
            training.line(String(format: "%d of %d: %.6f by ", number, count, distance) + path)
        case .measuring: training.line("measuring")
        case .measured(let model): PruningDisplay().show(.measured(model))
        }
    }
}
