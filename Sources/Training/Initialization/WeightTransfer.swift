import Documents
import Inference
import Tensor

/// Starting a model from another one's weights.
public struct WeightTransfer: Sendable {
    /// What may differ from one transfer to the next.
    public struct Options: Sendable {
        /// The share of the new model's backbone that must be found, in elements; a checkpoint with less is refused.
        public var least = 1.0
        /// Between the patches of position embeddings that are fitted to another grid.
        public var positions = PositionEmbedding.Interpolation.bicubic

        /// All of the backbone, positions bicubically.
        public init() {}
    }

    /// The weights to start from: those of the checkpoint where it has them, the given ones elsewhere.
    public let weights: Weights
    /// Paths taken over as they are.
    public let taken: [String]
    /// Position embeddings fitted to the new grid, and words to their places in a new vocabulary.
    public let refitted: [String]
    /// Paths that keep their fresh values, because the checkpoint lacks them or has another shape.
    public let fresh: [String]
    /// The share of the new model's backbone that was taken over or refitted, in elements.
    public let share: Double

    /// Takes over every tensor of `source` that has the path and shape of a fresh one.
    ///
    /// - Parameters:
    ///   - source: weights to start from.
    ///   - old: what they are the weights of.
    ///   - fresh: of every path that `new` needs.
    ///   - new: what is to be trained.
    ///   - positions: how position embeddings are fitted to another grid.
    public init(
        from source: Weights, of old: ModelConfiguration, into fresh: Weights, for new: ModelConfiguration,
        positions interpolation: PositionEmbedding.Interpolation = .bicubic
    ) {
        var (weights, taken, refitted, kept) = (fresh, [String](), [String](), [String]())
        for path in fresh.paths {
            guard let wanted = fresh[path]?.shape, let found = source[path] else {
                kept.append(path)
                continue
            }
            if let words = Self.words(path, found, over: fresh[path], from: old, to: new) {
                weights[path] = words
                refitted.append(path)
            } else if found.shape == wanted {
                weights[path] = found
                taken.append(path)
            } else if let positions = Self.refit(path, found, from: old, to: new, interpolation) {
                weights[path] = positions
                refitted.append(path)
            } else {
                kept.append(path)
            }
        }
        (self.weights, self.taken, self.refitted, self.fresh) = (weights, taken, refitted, kept)
        let elements = { (paths: [String]) in
            paths.filter(new.isOfBackbone).reduce(0) { $0 + (fresh[$1]?.count ?? 0) }
        }
        share = 1 - Double(elements(kept)) / Double(max(elements(fresh.paths), 1))
    }

    /// Throws `TrainingError.unrelated` if less than a share of the backbone was found.
    func check(least: Double, of new: ModelConfiguration) throws(TrainingError) {
        guard share < least else { return }
        throw .unrelated(
            expected: least, found: share, missing: PathGroups(fresh.filter(new.isOfBackbone)).text)
    }

    /// The vectors of a text encoder's words, of those that it did not know the fresh ones; nil where the vocabularies are one.
    private static func words(
        _ path: String, _ found: Tensor, over fresh: Tensor?, from old: ModelConfiguration, to new: ModelConfiguration
    ) -> Tensor? {
        guard path == "text_embed.weight", let fresh, case .dmf(let before) = old.system,
            case .dmf(let after) = new.system, before.text.vocabulary != after.text.vocabulary,
            before.text.vocabulary.count > 1, before.text.width == after.text.width
        else { return nil }
        let places = before.text.vocabulary.enumerated().map { ($1.lowercased(), $0) }
        let known = Dictionary(places) { first, _ in first }
        let rows = after.text.vocabulary.enumerated().map { place, word in
            known[word.lowercased()].map { found.sliced(axis: 0, $0..<($0 + 1)) }
                ?? fresh.sliced(axis: 0, place..<(place + 1))
        }
        return Tensor.concatenated(rows, axis: 0)
    }

    private static func refit(
        _ path: String, _ positions: Tensor, from old: ModelConfiguration, to new: ModelConfiguration,
        _ interpolation: PositionEmbedding.Interpolation
    ) -> Tensor? {
        guard path.hasSuffix("pos_embed"), case .vit(let before) = old.backbone, case .vit(let after) = new.backbone,
            before.width == after.width, before.prefix == after.prefix
        else { return nil }
        return PositionEmbedding.resized(
            positions, prefix: before.prefix,
            from: before.grid(height: old.input.height, width: old.input.width),
            to: after.grid(height: new.input.height, width: new.input.width), interpolation)
    }
}

extension Checkpoint {
    /// What `training.initialization` says of a model that starts from this one: what was imported in the beginning, and how
    /// position embeddings came to their grid. Nil if there is nothing to say.
    func initialization(of model: ModelConfiguration, _ options: WeightTransfer.Options) -> JSONValue? {
        var entries = configuration.training?["initialization"]?.object ?? [:]
        let hasPositions = weights.paths.contains { $0.hasSuffix("pos_embed") && model.isOfBackbone($0) }
        if hasPositions, case .vit(let before) = configuration.backbone, case .vit(let after) = model.backbone {
            let from = before.grid(height: configuration.input.height, width: configuration.input.width)
            let to = after.grid(height: model.input.height, width: model.input.width)
            if from != to {
                entries["positions"] = .object([
                    "from": .array([.integer(from.rows), .integer(from.columns)]),
                    "to": .array([.integer(to.rows), .integer(to.columns)]),
                    "interpolation": .string(options.positions.rawValue),
                ])
            }
        }
        return entries.isEmpty ? nil : .object(entries)
    }
}
