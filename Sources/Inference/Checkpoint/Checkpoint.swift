import Tensor

/// A model in a file: configuration, weights, and the digest that names it everywhere.
public struct Checkpoint: Sendable {
    /// What the model is.
    public let configuration: ModelConfiguration
    /// Its weights, pruned ones filled up with zeros, narrow ones as the numbers that they stand for.
    public let weights: Weights
    /// What else the file's `__metadata__` holds, as it stands there.
    public let metadata: [String: String]
    /// SHA-256 of the file's bytes, in hexadecimal.
    public let digest: String
    /// Paths of the weights that the file holds without their zeros.
    public let packed: Set<String>

    /// The metadata's key under which the configuration stands.
    public static let configurationKey = "triptych"

    /// Reads a checkpoint whole and checks it: the configuration first, then every tensor's type and numbers.
    ///
    /// Whether the weights fit the configuration shows when the model is built. The step counters that PyTorch keeps
    /// beside batch statistics are dropped. Takes one pass over the file, hashing included.
    ///
    /// Throws `CheckpointError`.
    public static func load(path: String) throws -> Checkpoint {
        let reader = try SafetensorsReader(path: path)
        let header = reader.header
        var configuration = try CheckpointError.naming(path) { try Self.configuration(header) }
        let packing = try CheckpointError.naming(path) {
            try Packing(header, &configuration)
        }
        let (weights, digest) = try packing.weights(reader, path: path)
        let metadata = header.metadata.filter { $0.key != configurationKey }
        return Checkpoint(
            configuration: configuration, weights: weights, metadata: metadata, digest: digest, packed: packing.paths)
    }

    /// Reads a checkpoint's configuration alone; its data is not looked at.
    ///
    /// Throws `CheckpointError`.
    public static func configuration(path: String) throws -> ModelConfiguration {
        let header = try SafetensorsReader(path: path).header
        return try CheckpointError.naming(path) { try Self.configuration(header) }
    }

    private static func configuration(_ header: SafetensorsHeader) throws -> ModelConfiguration {
        guard let json = header.metadata[configurationKey] else {
            throw CheckpointError.Reason.missingMetadata(key: configurationKey)
        }
        return try ModelConfiguration(json: json)
    }
}

extension Checkpoint {
    /// Writes a checkpoint, replacing what is at `path`; equal contents give equal bytes, and so an equal digest.
    ///
    /// Throws `CheckpointError`, also for a configuration that is not valid and for a NaN or an infinity among the
    /// weights; what was at `path` is then still there.
    /// - Parameters:
    ///   - metadata: what else to keep in the file's `__metadata__`.
    ///   - packed: paths of weights to store without their zeros; others are stored whole. A packed tensor takes
    ///     4 bytes for each value that is not zero and one bit for each value. Narrow ones are stored as their formats are.
    /// - Returns: the file's digest.
    @discardableResult
    public static func save(
        configuration: ModelConfiguration, weights: Weights, metadata: [String: String] = [:],
        packed: Set<String> = [], to path: String
    ) throws -> String {
        try CheckpointError.naming(path) {
            var configuration = configuration
            let contents = try Packing.contents(of: weights, packed: packed, &configuration)
            let own = [configurationKey: try configuration.json()]
            return try SafetensorsWriter.write(
                contents, metadata: metadata.merging(own) { _, own in own }, to: path)
        }
    }
}
