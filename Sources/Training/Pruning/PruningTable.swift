import Foundation
import Inference

/// One row of a pruning or quantising run's table: a model and what was measured of it. The first is the parent.
public struct PrunedModel: Sendable, Codable, Equatable {
    /// The share that was to go; 0 for the parent.
    public let target: Double
    /// The share of weights or units that went.
    public let removed: Double
    /// What the model is called where that says nothing: its precision.
    public var label: String?
    /// The digest.
    public let model: String
    /// The file's name; the parent's lies elsewhere.
    public let file: String
    /// Bytes of the file.
    public let fileBytes: Int
    /// Parameters, memory and arithmetic.
    public let size: ModelSize
    /// Beside the parent, by size of batch.
    public let throughput: [ThroughputComparison]
    /// mAP and the rest.
    public let metrics: RetrievalMetrics
    /// Against the parent's embeddings.
    public let embeddingSpace: EmbeddingSpace

    static let controlFile = "control.safetensors"
    /// Whether it is the parent, trained on for as many steps without pruning.
    public var isControl: Bool { file == Self.controlFile }

    /// As tables and pictures name it; a share is written by `format`.
    func title(_ format: String) -> String {
        label ?? (isControl ? "control" : target == 0 ? "parent" : String(format: format, target * 100))
    }

    private enum CodingKeys: String, CodingKey {
        case target, removed, label, model, file, size, throughput, metrics
        case fileBytes = "file_bytes"
        case embeddingSpace = "embedding_space"
    }
}

/// The figures of a pruning run: as JSON, as plain text, and as a picture.
public struct PruningTable: Sendable {
    private let models: [PrunedModel]

    /// The parent first.
    public init(_ models: [PrunedModel]) { self.models = models }

    /// A heading and a row a model.
    public var rows: [[String]] {
        let batches = models.first?.throughput.map(\.batch) ?? []
        let heading =
            ["target", "removed", "parameters", "backbone", "file bytes", "memory bytes", "multiply-adds"]
            + batches.map { "speed at \($0)" } + [
                "mAP", "Rank-1", "cosine", "cross agreement", "cross mAP loss", "digest",
            ]
        return [heading] + models.map(row)
    }

    private func row(_ model: PrunedModel) -> [String] {
        let percent = { (value: Double) in String(format: "%.1f %%", value * 100) }
        let size = model.size
        return [
            model.title("%.1f %%"), percent(model.removed), "\(size.parameters)", "\(size.backboneParameters)",
            "\(model.fileBytes)", "\(size.memoryBytes)", "\(size.multiplyAdds)",
        ] + model.throughput.map { String(format: "%.2f×", $0.speedup) } + [
            String(format: "%.1f", model.metrics.mAP * 100), String(format: "%.1f", model.metrics.rank1 * 100),
            String(format: "%.4f", model.embeddingSpace.meanCosine),
            model.embeddingSpace.cross.map { Self.interval($0.agreement, "%.1f") } ?? "–",
            model.embeddingSpace.cross.map { Self.interval($0.mAPLoss, "%+.1f") } ?? "–",
            String(model.model.prefix(12)),
        ]
    }

    /// A share in percent, with its interval.
    private static func interval(_ estimate: CrossRetrieval.Estimate, _ format: String) -> String {
        let (value, low, high) = (estimate.value * 100, estimate.low * 100, estimate.high * 100)
        return String(format: "\(format) (\(format) to \(format))", value, low, high)
    }

    /// The rows as aligned columns.
    public var text: String {
        let rows = rows
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            zip(row, widths).map { String(repeating: " ", count: $1 - $0.count) + $0 }.joined(separator: "  ")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// All figures.
    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(models)
    }

    func write(to folder: URL) throws {
        let texts = [
            "figures.json": String(decoding: try json(), as: UTF8.self) + "\n", "figures.txt": text,
            "figures.svg": PruningChart(models).svg,
        ]
        for (name, text) in texts { try RunFolder.write(text, to: folder.appendingPathComponent(name).path) }
    }
}
