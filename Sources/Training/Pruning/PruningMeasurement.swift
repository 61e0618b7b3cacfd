import Foundation
import Inference
import Tensor

/// Measures models beside their parent.
struct PruningMeasurement {
    /// What is measured of a model before its file is written.
    struct Figures: Sendable, Codable {
        let size: ModelSize
        let throughput: [ThroughputComparison]
        let metrics: RetrievalMetrics
        let embeddingSpace: EmbeddingSpace

        private enum CodingKeys: String, CodingKey {
            case size, throughput, metrics
            case embeddingSpace = "embedding_space"
        }
    }

    /// A single triple, and a batch as a busy server makes them.
    private static let batches = [1, 8]

    private let set: RankingSet
    private let parent: MultimodalEncoder
    private let embedded: RankingSet.Embedded
    /// The parent first.
    private(set) var models: [PrunedModel] = []

    /// Measures the parent. Throws what encoding the set throws.
    init(_ parent: Checkpoint, path: String, on set: RankingSet) throws {
        self.set = set
        self.parent = try MultimodalEncoder(
            configuration: parent.configuration, weights: parent.weights, model: parent.digest)
        embedded = try set.embedded(by: self.parent)
        let figures = try figures(parent.configuration, parent.weights)
        models = [
            try Self.model(figures, target: 0, removed: 0, digest: parent.digest, file: URL(fileURLWithPath: path))
        ]
    }

    func figures(_ configuration: ModelConfiguration, _ weights: Weights) throws -> Figures {
        let child = try MultimodalEncoder(configuration: configuration, weights: weights, model: "candidate")
        let own = try set.embedded(by: child)
        return Figures(
            size: try ModelSize(configuration, weights),
            throughput: try Self.batches.map { try ThroughputComparison(parent, child, batch: $0) },
            metrics: set.metrics(own),
            embeddingSpace: EmbeddingSpace(parent.model, parent: embedded, child: own, of: set))
    }

    /// Adds a model that lies in a file.
    ///
    /// - Parameter label: what it is called where nothing was removed.
    mutating func add(
        _ figures: Figures, target: Double = 0, removed: Double = 0, label: String? = nil, digest: String, file: URL
    ) throws -> PrunedModel {
        var model = try Self.model(figures, target: target, removed: removed, digest: digest, file: file)
        model.label = label
        models.append(model)
        return model
    }

    private static func model(
        _ figures: Figures, target: Double, removed: Double, digest: String, file: URL
    ) throws -> PrunedModel {
        PrunedModel(
            target: target, removed: removed, model: digest, file: file.lastPathComponent,
            fileBytes: try file.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0, size: figures.size,
            throughput: figures.throughput, metrics: figures.metrics, embeddingSpace: figures.embeddingSpace)
    }
}

extension EmbeddingSpace {
    /// Compares a set as a child embeds it with the same set as its parent does.
    package init(_ digest: String, parent: RankingSet.Embedded, child: RankingSet.Embedded, of set: RankingSet) {
        let pairs = zip(Embedding.normalised(parent.queries), Embedding.normalised(child.queries))
        let cosines = pairs.map { Double(zip($0, $1).reduce(0) { $0 + $1.0 * $1.1 }) }
        self.init(parent: digest, meanCosine: cosines.reduce(0, +) / Double(max(cosines.count, 1)))
        minimumCosine = cosines.min() ?? 0
        split = set.split
        sightings = set.queries.sightings.count
        let own = set.findings(queries: parent.queries, gallery: parent.gallery)
        let others = set.findings(queries: child.queries, gallery: child.gallery)
        let equal = zip(own, others).count { $0.first == $1.first }
        top1Agreement = Double(equal) / Double(max(own.count, 1))
        cross = CrossRetrieval(own, set.findings(queries: child.queries, gallery: parent.gallery))
    }
}
