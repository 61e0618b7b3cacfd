import ArgumentParser
import Inference
import Training

/// How weights of one model become those of another.
struct TransferOptions: ParsableArguments {
    @Option(help: "How position embeddings are fitted to another grid: bicubic, or bilinear as ReID toolboxes do.")
    var positions = PositionEmbedding.Interpolation.bicubic
    @Option(help: "The least share of the backbone that must be found, from 0 to 1.")
    var leastShare = 1.0

    /// Throws `ValidationError` if anything was given that would change nothing without an option.
    func refuse(without option: String) throws {
        guard positions == .bicubic, leastShare == 1 else {
            throw ValidationError("expected --positions and --least-share beside \(option) only")
        }
    }

    /// Throws `ValidationError` for a share that is none.
    var options: WeightTransfer.Options {
        get throws {
            guard (0...1).contains(leastShare) else {
                throw ValidationError("--least-share: expected a number from 0 to 1, found \(leastShare)")
            }
            var options = WeightTransfer.Options()
            (options.least, options.positions) = (leastShare, positions)
            return options
        }
    }
}

extension PositionEmbedding.Interpolation: ExpressibleByArgument {}
