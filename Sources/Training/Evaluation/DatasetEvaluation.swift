import Inference
import Tensor

/// Measures an encoder on sightings: encodes them once a subset of modalities, and ranks.
public struct DatasetEvaluation: Sendable {
    private let encoder: MultimodalEncoder
    private let batch: Int

    /// - Parameters:
    ///   - encoder: what is measured: the very object that serves.
    ///   - batch: triples encoded at a time.
    public init(_ encoder: MultimodalEncoder, batch: Int = 32) {
        self.encoder = encoder
        self.batch = batch
    }

    /// The encoder's.
    var modalities: [Modality] { encoder.modalities }

    /// Embeddings of all sightings, [N, D], from some of the modalities. A sighting that lacks all of them is encoded
    /// from what it has. Blocks: call it on a compute thread.
    ///
    /// Throws `DatasetError` for an image that cannot be read, `EncoderError` for a sighting that the model cannot take.
    public func embeddings(
        _ images: SightingImages, modalities: [Modality], progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> Tensor {
        let preprocessing = Preprocessing(encoder.configuration.input)
        var rows = [Tensor?](repeating: nil, count: images.sightings.count)
        // A batch has the same modalities throughout.
        let groups = Dictionary(grouping: images.sightings.indices) { index -> [Modality] in
            let present = images.sightings[index].files.keys.filter(encoder.modalities.contains).sorted()
            let chosen = present.filter(modalities.contains)
            return chosen.isEmpty ? present : chosen
        }
        var done = 0
        for (subset, indices) in groups.sorted(by: { $0.value[0] < $1.value[0] }) {
            for part in indices.chunked(batch).map(Array.init) {
                let loaded = try images.images(at: part)
                let input = Dictionary(
                    uniqueKeysWithValues: subset.map { modality in
                        (modality, preprocessing.tensor(loaded.compactMap { $0[modality] }, modality))
                    })
                let embedded = try encoder.embed(batch: input)
                for (row, index) in part.enumerated() { rows[index] = embedded.sliced(axis: 0, row..<(row + 1)) }
                done += part.count
                progress(done, images.sightings.count)
            }
        }
        return Tensor.concatenated(rows.compactMap { $0 }, axis: 0)
    }

    /// Metrics of queries against a gallery. Blocks, and throws as `embeddings` does.
    public func metrics(
        queries: SightingImages, gallery: SightingImages, modalities: [Modality],
        distance: Ranking.Distance = .cosine, progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> RetrievalMetrics {
        let total = queries.sightings.count + gallery.sightings.count
        let q = try embeddings(queries, modalities: modalities) { done, _ in progress(done, total) }
        let g = try embeddings(gallery, modalities: modalities) { done, _ in
            progress(queries.sightings.count + done, total)
        }
        return Self.metrics(
            Ranking.orders(queries: q, gallery: g, distance), queries: queries.sightings, gallery: gallery.sightings)
    }

    /// Metrics of given orders.
    public static func metrics(
        _ orders: [[Int]], queries: [TriplesDataset.Sighting], gallery: [TriplesDataset.Sighting]
    ) -> RetrievalMetrics {
        let items = gallery.map { RetrievalMetrics.Item(identity: $0.identity, camera: $0.camera) }
        return RetrievalMetrics(
            rankings: zip(queries, orders).lazy.map { query, order in
                (RetrievalMetrics.Item(identity: query.identity, camera: query.camera), order.map { items[$0] })
            })
    }
}
