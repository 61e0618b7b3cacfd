import Documents
import Foundation
import Gallery
import Inference
import Logging
import Tensor
import Threads

/// Reads checkpoints, builds their models and has them answer, beside the requests: what it gives can serve.
///
/// A file is judged by its header before its weights are read: what verifying it may cost is bounded.
package struct ModelLoader: Sendable {
    private let memory: MemoryBudget
    private let limits: ServingConfiguration.ModelLimits
    private let batching: Batching
    /// What float32 models are computed in, in layers that may be narrow.
    let precision: Precision
    private let logger: Logger

    /// - Parameter precision: float32, or bfloat16.
    package init(
        memory: MemoryBudget, limits: ServingConfiguration.ModelLimits, batching: Batching,
        precision: Precision = .float32, logger: Logger
    ) {
        (self.memory, self.limits, self.batching) = (memory, limits, batching)
        (self.precision, self.logger) = (precision, logger)
    }

    /// A model that can serve.
    typealias Loaded = (encoder: MultimodalEncoder, summary: ModelSummary)

    /// Throws `ModelError` or `CancellationError`.
    ///
    /// - Parameters:
    ///   - precision: of a float32 model; nil for the configured one.
    ///   - patiently: whether buffers that requests could reuse are left alone if memory is short.
    func load(_ url: URL, in precision: Precision? = nil, patiently: Bool = false) async throws -> Loaded {
        let header = try await Self.judging(url) { [limits] in
            let header = try SafetensorsReader(path: url.path).header
            try limits.check(Checkpoint.configuration(path: url.path))
            return header
        }
        try memory.require(header.loadingBytes, patiently: patiently)
        return try await load(url, in: precision ?? self.precision) { try Checkpoint.load(path: url.path) }
    }

    /// Builds the model of a checkpoint that was read. Throws `ModelError` or `CancellationError`.
    func load(_ file: CheckpointFile) async throws -> Loaded {
        try await Self.judging(file.url) { [limits] in try limits.check(file.checkpoint.configuration) }
        try memory.require(file.checkpoint.weights.parameterCount * MemoryLayout<Float>.size)
        return try await load(file.url, in: precision) { file.checkpoint }
    }

    /// Throws `ModelError.insufficientMemory` if a model, and so many bytes of vectors by it, would be too much.
    func requireMemory(for url: URL, vectors: Int) async throws {
        let bytes = try await Self.judging(url) { try SafetensorsReader(path: url.path).header.loadingBytes }
        try memory.require(bytes + vectors)
    }

    /// The SHA-256 of a file. Throws `ModelError`.
    func digest(of url: URL) async throws -> String {
        try await Self.judging(url) { try SafetensorsReader(path: url.path).digest() }
    }

    /// What was read is let go of as soon as it is packed.
    private func load(
        _ url: URL, in precision: Precision, _ read: @escaping @Sendable () throws -> Checkpoint
    ) async throws -> Loaded {
        defer { BufferPool.shared.drainSoon() }
        return try await Deadline.run(
            seconds: limits.seconds, or: ModelError.refused(reason: "verifying it took more than \(limits.seconds) s")
        ) { [batching] in
            var (encoder, summary) = try await Self.judging(url) {
                let checkpoint = try read()
                let (parts, digest, own) = (checkpoint.parts, checkpoint.digest, checkpoint.weights.precision)
                let encoder = try MultimodalEncoder(
                    consuming: consume checkpoint, batching: batching,
                    format: precision == .bfloat16 ? .bfloat16 : .float32)
                return (
                    encoder, ModelSummary(encoder, digest, own, parts: parts, bytes: FileState(url).bytes)
                )
            }
            let difference = try await Self.judging(url) { [encoder] in
                // The first triple that is served does not wait for oneDNN to generate its code.
                try SelfTest.checkOutputs(encoder)
                return try SelfTest.check(encoder)
            }
            summary.isSelfTested = difference != nil
            tell(encoder, difference)
            return (encoder, summary)
        }
    }

    /// Says what narrow products a model is computed with.
    private func tell(_ encoder: MultimodalEncoder, _ difference: Double?) {
        guard encoder.precision != .float32 else { return }
        let precision = encoder.precision.rawValue
        logger.info(
            "the model is computed in \(precision)",
            metadata: [
                "model": "\(encoder.model)", "self-test": "\(difference.map { "\($0)" } ?? "none in the file")",
            ])
        if !encoder.precision.isNative {
            logger.warning(
                "this processor has no instructions for \(precision): products take more of others, for the same sums")
        }
    }

    /// Does work on a file on the background's thread. Throws `ModelError` or `CancellationError`.
    private static func judging<Value: Sendable>(
        _ url: URL, _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        do {
            return try await ComputeThread.background.run(work)
        } catch let error as CheckpointError {
            if case .system = error.reason { throw ModelError.storage("\(url.lastPathComponent): \(error.reason)") }
            throw ModelError.refused(reason: "\(error.reason)")
        } catch let error
            where error is WeightsError || error is EncoderError || error is SelfTest.Failure
            || error is SelfTest.Unsound
        {
            throw ModelError.refused(reason: "\(error)")
        }
    }
}

extension ServingConfiguration.ModelLimits {
    /// Throws `ModelError.refused` for a model that would take too long, or whose embeddings no gallery holds, before any of
    /// its weights are read.
    func check(_ configuration: ModelConfiguration) throws {
        let cost = max(configuration.tripleMultiplyAdds, configuration.textMultiplyAdds)
        guard cost <= multiplyAdds else {
            throw ModelError.refused(reason: "expected at most \(multiplyAdds) multiply-adds a triple, found \(cost)")
        }
        guard configuration.dimension <= GalleryStore.largestDimension else {
            throw ModelError.refused(
                reason: "expected embeddings of at most \(GalleryStore.largestDimension) elements, found "
                    + "\(configuration.dimension)")
        }
    }
}

extension SafetensorsHeader {
    /// What a model takes at most while it is loaded: its weights, which make way for packed ones one by one, of which
    /// Winograd's are larger. The mask of a packed tensor has a bit for each element, and its values are there beside the
    /// whole tensor while it is read.
    fileprivate var loadingBytes: Int {
        let weights = entries.reduce(0) { sum, entry in
            let elements = entry.elementType == .uint8 ? 8 * entry.count : entry.count
            return sum + MemoryLayout<Float>.size * elements
        }
        return weights / 2 * 3
    }
}
