import Inference
import Tensor

/// The descriptions of a data set's identities as queries, for models that read texts (DMF). A description has no camera.
public struct TextQueries: Sendable {
    /// What is no camera.
    private static let noCamera = -1

    /// As many descriptions as there are, those that the models cannot read left out.
    public let items: EncodedItems

    /// Encodes the descriptions of the query split: of `query/text/<identity>.txt`, a line each. Blocks: call it on a compute thread.
    ///
    /// Throws `DatasetError` for a file that cannot be read, `EncoderError.noText` for a model that reads no texts, and
    /// `EvaluationError.noTexts` if there are none, or none of which the models know a word.
    public init(_ dataset: TriplesDataset, _ encoders: [MultimodalEncoder], batch: Int = 64) throws {
        let captions = try dataset.captions(.query).sorted { $0.key < $1.key }
        let all = captions.flatMap { identity, texts in texts.map { (identity: identity, text: $0) } }
        let folder = dataset.root.appendingPathComponent("query/text").path
        guard !all.isEmpty else { throw EvaluationError.noTexts(folder: folder, reason: "none") }
        guard encoders.allSatisfy(\.readsTexts) else { throw EncoderError.noText }
        let known = all.filter { one in encoders.allSatisfy { $0.knowsWord(of: one.text) } }
        guard !known.isEmpty else {
            throw EvaluationError.noTexts(folder: folder, reason: "\(all.count) without a word of its vocabulary")
        }
        let models = try encoders.map { encoder in
            let rows = try known.chunked(batch).map { try encoder.embed(texts: $0.map(\.text)) }
            return PartVectors(whole: Tensor.concatenated(rows, axis: 0))
        }
        let members = Array(known.indices)
        items = EncodedItems(
            items: known.map { .init(identity: $0.identity, camera: Self.noCamera) }, places: members,
            leftOut: all.count - known.count, groups: [.init(members: members, modalities: "text", models: models)])
    }
}

extension EncodedTasks {
    /// Tasks whose galleries are searched with texts: with all modalities, and with each where a gallery has more than one.
    public func tasks(_ texts: TextQueries) throws(EvaluationError) -> [EncodedTask] {
        let all = Set(encoded.modalities)
        var made: [EncodedTask] = []
        for task in tasks {
            let own = all.intersection(task.galleries.joined().flatMap(\.files.keys))
            for set in [own] + (own.count > 1 ? own.sorted().map { [$0] } : []) {
                let sides = try self.task(task, all, set)
                made.append(
                    EncodedTask(
                        name: task.name, queries: texts.items, galleries: sides.galleries, rule: task.rule,
                        isDeduplicated: task.isDeduplicated))
            }
        }
        return made
    }
}
