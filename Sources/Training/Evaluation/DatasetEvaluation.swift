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
        let parts = groups.sorted(by: { $0.value[0] < $1.value[0] }).flatMap { subset, indices in
            indices.chunked(batch).map { (subset: subset, indices: Array($0)) }
        }
        var done = 0
        for (number, part) in parts.enumerated() {
            if number + 1 < parts.count { images.decodeAhead(parts[number + 1].indices) }
            let loaded = try images.images(at: part.indices)
            let input = Dictionary(
                uniqueKeysWithValues: part.subset.map { modality in
                    (modality, preprocessing.tensor(loaded.compactMap { $0[modality] }, modality))
                })
            let embedded = try encoder.embed(batch: input)
            for (row, index) in part.indices.enumerated() { rows[index] = embedded.sliced(axis: 0, row..<(row + 1)) }
            done += part.indices.count
            progress(done, images.sightings.count)
        }
        return Tensor.concatenated(rows.compactMap { $0 }, axis: 0)
    }

    /// Metrics of queries against a gallery. Blocks, and throws as `embeddings` does.
    public func metrics(
        queries: SightingImages, gallery: SightingImages, modalities: [Modality],
        distance: Ranking.Distance = .cosine, protocol rule: RetrievalProtocol = .standard,
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> RetrievalMetrics {
        let total = queries.sightings.count + gallery.sightings.count
        let q = try embeddings(queries, modalities: modalities) { done, _ in progress(done, total) }
        let g = try embeddings(gallery, modalities: modalities) { done, _ in
            progress(queries.sightings.count + done, total)
        }
        return Self.metrics(
            Ranking.lazyOrders(queries: q, gallery: g, distance), queries: queries.sightings,
            gallery: gallery.sightings, protocol: rule)
    }

    /// Metrics of given orders.
    public static func metrics(
        _ orders: some Sequence<[Int]>, queries: [TriplesDataset.Sighting], gallery: [TriplesDataset.Sighting],
        protocol rule: RetrievalProtocol = .standard, isDeduplicated: Bool = false
    ) -> RetrievalMetrics {
        let items = gallery.map(RetrievalMetrics.Item.init)
        return RetrievalMetrics(
            rankings: zip(queries, orders).lazy.map { query, order in
                (RetrievalMetrics.Item(query), order.map { items[$0] })
            }, protocol: rule, isDeduplicated: isDeduplicated)
    }
}
