import Tensor

extension Checkpoint {
    /// Weights that serving never reads: necks, classifiers, adversaries. Throws what building the system throws.
    public func trainingOnlyPaths() throws -> [String] {
        let recorder = WeightsRecorder()
        _ = try configuration.makeSystem(
            ParameterScope(weights.recorded(by: recorder), mode: .training(dropout: nil, frozen: [""])))
        let known = Set(weights.paths).subtracting(recorder.unread(of: weights))
        let serving = WeightsRecorder()
        _ = try configuration.makeSystem(ParameterScope(weights.recorded(by: serving), mode: .inference))
        return serving.unread(of: weights).filter(known.contains)
    }

    /// A group of weights that belong together.
    public struct Part: Sendable, Codable, Equatable {
        /// The first names of their paths.
        public let name: String
        /// Tensors.
        public let tensors: Int
        /// Scalars.
        public let parameters: Int
        /// The share of them that is zero.
        public let sparsity: Double
    }

    /// The weights by part: what stands below the first name of a path, or the first two where the second is a modality.
    public var parts: [Part] {
        let groups = Dictionary(grouping: weights.paths) { path in
            let names = path.split(separator: ".")
            let isOfModality = names.count > 1 && Modality(rawValue: String(names[1])) != nil
            return names.prefix(isOfModality ? 2 : 1).joined(separator: ".")
        }
        return groups.sorted { $0.key < $1.key }.map { name, paths in
            let count = paths.reduce(0) { $0 + (weights.shape(of: $1)?.count ?? 0) }
            let zeros = paths.reduce(0) { $0 + (weights[$1]?.withUnsafeScalars { $0.count { $0 == 0 } } ?? 0) }
            return Part(
                name: name, tensors: paths.count, parameters: count,
                sparsity: Double(zeros) / Double(max(count, 1)))
        }
    }
}

extension [Checkpoint.Part] {
    /// The share of zeros in all of them.
    public var sparsity: Double {
        let zeros = reduce(0) { $0 + $1.sparsity * Double($1.parameters) }
        return zeros / Double(Swift.max(reduce(0) { $0 + $1.parameters }, 1))
    }
}
