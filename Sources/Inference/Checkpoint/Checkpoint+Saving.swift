import Tensor

extension Checkpoint {
    /// Writes a checkpoint, replacing what is at `path`; equal contents give equal bytes, and so an equal digest.
    ///
    /// Throws `CheckpointError`, also for a configuration that is not valid and for a NaN or an infinity among the
    /// weights; what was at `path` is then still there.
    /// - Parameters:
    ///   - metadata: what else to keep in the file's `__metadata__`.
    ///   - packed: paths of weights to store without their zeros; others are stored whole. A packed tensor takes
    ///     4 bytes for each value that is not zero and one bit for each value.
    /// - Returns: the file's digest.
    @discardableResult
    public static func save(
        configuration: ModelConfiguration, weights: Weights, metadata: [String: String] = [:],
        packed: Set<String> = [], to path: String
    ) throws -> String {
        try CheckpointError.naming(path) {
            var configuration = configuration
            let contents = try Packing.contents(of: weights, packed: packed, pruning: &configuration.pruning)
            let own = [configurationKey: try configuration.json()]
            return try SafetensorsWriter.write(
                contents, metadata: metadata.merging(own) { _, own in own }, to: path)
        }
    }
}
