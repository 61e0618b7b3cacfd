import Foundation
import Training

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
