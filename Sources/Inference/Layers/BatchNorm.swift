import Synchronization
import Tensor

/// Batch normalisation of the innermost axis (Ioffe and Szegedy, 2015), with PyTorch's names: by the batch's statistics
/// where a model is trained, by the running ones elsewhere.
struct BatchNorm: Sendable {
    static let epsilon: Float = 1e-5
    private let weight: Tensor
    private let bias: Tensor
    private let mean: Tensor
    private let variance: Tensor
    private let path: String
    private let statistics: RunningStatistics?

    /// - Parameter trainsBias: false for a BNNeck, whose shift stays 0 (Luo et al., 2019).
    init(_ scope: ParameterScope, width: Int, trainsBias: Bool = true) throws {
        weight = try scope.parameter("weight", [width])
        bias = try trainsBias ? scope.parameter("bias", [width]) : scope.buffer("bias", [width])
        mean = try scope.buffer("running_mean", [width])
        variance = try scope.buffer("running_var", [width])
        path = scope.full("")
        statistics = scope.statistics
    }

    /// [..., C] → the same shape.
    func callAsFunction(_ x: Tensor) -> Tensor {
        guard let statistics else {
            return x.batchNorm(weight: weight, bias: bias, mean: mean, variance: variance, epsilon: Self.epsilon)
        }
        let result = x.batchNorm(weight: weight, bias: bias, epsilon: Self.epsilon)
        update(statistics, [result])
        return result.output
    }

    /// Blocks of columns, each with rows of its own, normalised by these: [rows, C / blocks] each. Nil for a block without rows.
    ///
    /// A single row is its own mean: it becomes 0, that is nil. What is nil leaves its running statistics as they are.
    func callAsFunction(blocks: [Tensor?]) -> [Tensor?] {
        let width = weight.count / blocks.count
        let piece = { (x: Tensor, place: Int) in x.sliced(axis: 0, (place * width)..<((place + 1) * width)) }
        guard let statistics else {
            return blocks.enumerated().map { place, x in
                x?.batchNorm(
                    weight: piece(weight, place), bias: piece(bias, place), mean: piece(mean, place),
                    variance: piece(variance, place), epsilon: Self.epsilon)
            }
        }
        let results = blocks.enumerated().map { place, x in
            guard let x, x.shape[0] > 1 else { return nil as BatchNormResult? }
            return x.batchNorm(weight: piece(weight, place), bias: piece(bias, place), epsilon: Self.epsilon)
        }
        update(statistics, results)
        return results.map { $0?.output }
    }

    private func update(_ statistics: RunningStatistics, _ results: [BatchNormResult?]) {
        statistics.update(path + "running_mean", from: mean, towards: results.map { $0?.mean })
        // PyTorch keeps the unbiased variance, but normalises by the biased one.
        statistics.update(
            path + "running_var", from: variance,
            towards: results.map { result in
                result.map { $0.variance.scaled(by: Float($0.rows) / (Float($0.rows) - 1)) }
            })
    }

    /// The factor and the shift that it comes to under the running statistics: what folds into a layer before it.
    var folded: (factor: Tensor, shift: Tensor) {
        let factor = weight * variance.reciprocalSquareRoot(adding: Self.epsilon)
        return (factor, bias - mean * factor)
    }
}

/// Collects the running averages of batch norms while a model is run in training: what PyTorch keeps in `running_mean` and
/// `running_var`.
public final class RunningStatistics: Sendable {
    private static let momentum: Float = 0.1
    private let updated = Mutex<[String: Tensor]>([:])

    /// Nothing collected yet.
    public init() {}

    /// The averages after what was run, by path.
    public var byPath: [String: Tensor] { updated.withLock { $0 } }

    /// Moves the average at `path` a tenth of the way to a batch's statistic, in blocks of equal width; one that is nil stays
    /// as it is. A layer that runs twice in one step moves it twice.
    func update(_ path: String, from initial: Tensor, towards blocks: [Tensor?]) {
        updated.withLock {
            let old = $0[path] ?? initial
            let width = old.count / blocks.count
            let moved = blocks.enumerated().map { place, statistic in
                let own = old.sliced(axis: 0, (place * width)..<((place + 1) * width))
                return statistic.map { own.scaled(by: 1 - Self.momentum) + $0.scaled(by: Self.momentum) } ?? own
            }
            $0[path] = Tensor.concatenated(moved, axis: 0)
        }
    }
}
