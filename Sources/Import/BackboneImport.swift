import Inference
import Tensor

/// Puts the weights of a network that was trained elsewhere into every backbone of a system.
public struct BackboneImport: Sendable {
    /// How the positions of patches were fitted to the model's grid.
    public struct PositionFit: Sendable, Equatable {
        /// Rows and columns of the file's grid, and of the model's.
        public let from: [Int], to: [Int]
        /// Between the file's patches.
        public let interpolation: PositionEmbedding.Interpolation

        /// A fit of grids, each rows and columns.
        public init(from: [Int], to: [Int], interpolation: PositionEmbedding.Interpolation) {
            (self.from, self.to, self.interpolation) = (from, to, interpolation)
        }
    }

    /// The system's weights, with what was found in place.
    public let weights: Weights
    /// Names that went in as they are.
    public let matched: [String]
    /// Names that went in changed, and how.
    public let adapted: [String: String]
    /// Names that a backbone computes without and that did not go in, and why.
    public let skipped: [String: String]
    /// Names that the file's network computes with and that have no place in the model, and why.
    public let unplaced: [String: String]
    /// Paths of the system's backbones that nothing was found for.
    public let missing: [String]
    /// What the file cannot say and the model may have otherwise.
    public let notes: [String]
    /// Nil if positions had the model's grid.
    public let positions: PositionFit?
    /// The share of the model's backbones that was found, in elements.
    public let foundShare: Double
    /// The share of the file's network that has a place in the model, in elements.
    public let placedShare: Double

    /// - Parameters:
    ///   - foreign: torchvision's names for a ResNet; timm's, DINOv2's, OpenAI's or OpenCLIP's for a ViT.
    ///   - configuration: of the system.
    ///   - fresh: every weight of the system, already initialised.
    ///   - interpolation: of positions, where the model's grid is another.
    public init(
        _ foreign: ForeignWeights, into configuration: ModelConfiguration, fresh: Weights,
        positions interpolation: PositionEmbedding.Interpolation = .bicubic
    ) {
        let source = ForeignBackbone(foreign)
        var placement = Placement(source, configuration, fresh, interpolation)
        for (name, tensor) in source.tensors.sorted(by: { $0.key < $1.key }) { placement.place(name, tensor) }
        weights = placement.weights
        (matched, adapted, positions) = (placement.matched, placement.adapted, placement.positions)
        (skipped, unplaced) = (placement.skipped, placement.unplaced)
        let wanted = fresh.paths.filter(configuration.isOfBackbone)
        let missing = wanted.filter { !placement.found.contains($0) }
        let elements = { (paths: [String]) in paths.reduce(0) { $0 + (fresh[$1]?.count ?? 0) } }
        foundShare = 1 - Double(elements(missing)) / Double(max(elements(wanted), 1))
        let homeless = placement.unplaced.keys.reduce(0) { $0 + (source.tensors[$1]?.count ?? 0) }
        placedShare = Double(placement.placed) / Double(max(placement.placed + homeless, 1))
        self.missing = missing
        notes = source.isCLIP ? configuration.notesOnCLIP : []
    }

    /// Throws `ImportError`, with what is missing and what has no place, if less than a share of the model's backbones was found, or
    /// of the file's network has a place.
    public func check(least share: Double, of file: String) throws(ImportError) {
        guard min(foundShare, placedShare) < share else { return }
        let percent = { (share: Double) in "\((share * 1000).rounded(.down) / 10) %" }
        var reason =
            "expected at least \(percent(share)) of the backbone, found \(percent(foundShare)) of the model's, and a place "
            + "for \(percent(placedShare)) of the file's"
        if !missing.isEmpty { reason += "; missing in the file: " + PathGroups(missing).text }
        if let (name, why) = unplaced.min(by: { $0.key < $1.key }) {
            reason += "; without a place: " + PathGroups(unplaced.keys).text + "; first \(name): \(why)"
        }
        throw ImportError(reason, file: file)
    }
}
