import Imaging
import Inference
import Tensor

/// Measures an encoder on sightings: encodes each image once, and ranks.
public struct DatasetEvaluation: Sendable {
    private let encoder: MultimodalEncoder
    private let batch: Int
    private let isFlipAveraged: Bool

    /// - Parameters:
    ///   - encoder: what is measured: the very object that serves.
    ///   - batch: triples encoded at a time.
    ///   - isFlipAveraged: whether a vector is the mean of an image's and its mirror image's, in `encoded`.
    public init(_ encoder: MultimodalEncoder, batch: Int = 32, isFlipAveraged: Bool = false) {
        (self.encoder, self.batch, self.isFlipAveraged) = (encoder, batch, isFlipAveraged)
    }

    /// The encoder's.
    public var modalities: [Modality] { encoder.modalities }

    /// Embeddings of all sightings, [N, D], from some of the modalities. A sighting that lacks all of them is encoded
    /// from what it has. Blocks: call it on a compute thread.
    ///
    /// Throws `DatasetError` for an image that cannot be read and for a sighting with none of the model's modalities.
    public func embeddings(
        _ images: SightingImages, modalities: [Modality], progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> Tensor {
        let known = Set(encoder.modalities)
        if let blind = images.sightings.first(where: { known.isDisjoint(with: $0.files.keys) }) {
            throw DatasetError.unseen(blind, expected: encoder.modalities)
        }
        var rows = [Tensor?](repeating: nil, count: images.sightings.count)
        try visitBatches(images, progress) { present in
            let chosen = present.filter(modalities.contains)
            return chosen.isEmpty ? present : chosen
        } body: { indices, loaded in
            let embedded = try encoder.embed(batch: tensors(loaded))
            for (row, index) in indices.enumerated() { rows[index] = embedded.sliced(axis: 0, row..<(row + 1)) }
        }
        return Tensor.concatenated(rows.compactMap { $0 }, axis: 0)
    }

    /// The vectors of which sets of modalities are ranked. A sighting that has none of them has no vector. Blocks: call it on a
    /// compute thread.
    ///
    /// Throws `DatasetError` for an image that cannot be read.
    /// - Parameter sets: what will be asked for.
    public func encoded(
        _ images: SightingImages, sets: [Set<Modality>], progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> EncodedSightings {
        let wanted = sets.reduce(into: Set()) { $0.formUnion($1) }
        let compared = compared(images, sets)
        var vectors = ModelVectors(of: encoder)
        try visitBatches(images, progress) {
            $0.filter(wanted.contains)
        } body: { indices, loaded in
            vectors.append(rows(loaded, compared.filter { $0.isSubset(of: loaded.keys) }), at: indices)
        }
        return EncodedSightings(images.sightings, [vectors])
    }

    /// Decodes the sightings that something is chosen of, batches of the same modalities, the next meanwhile.
    private func visitBatches(
        _ images: SightingImages, _ progress: (Int, Int) -> Void, choosing: ([Modality]) -> [Modality],
        body: (_ indices: [Int], _ loaded: [Modality: [Image]]) throws -> Void
    ) throws {
        let groups = Dictionary(grouping: images.sightings.indices) { index in
            choosing(images.sightings[index].files.keys.filter(encoder.modalities.contains).sorted())
        }
        let parts = groups.filter { !$0.key.isEmpty }.sorted { $0.value[0] < $1.value[0] }.flatMap { subset, indices in
            indices.chunked(batch).map { (subset: subset, indices: Array($0)) }
        }
        let total = parts.reduce(0) { $0 + $1.indices.count }
        var done = 0
        for (number, part) in parts.enumerated() {
            if number + 1 < parts.count { images.decodeAhead(parts[number + 1].indices) }
            let loaded = try images.images(at: part.indices)
            try body(
                part.indices,
                Dictionary(
                    uniqueKeysWithValues: part.subset.map { modality in
                        (modality, loaded.compactMap { $0[modality] })
                    }))
            done += part.indices.count
            progress(done, total)
        }
    }

    private func tensors(_ images: [Modality: [Image]]) -> [Modality: Tensor] {
        let preprocessing = Preprocessing(encoder.configuration.input)
        return Dictionary(uniqueKeysWithValues: images.map { ($0, preprocessing.tensor($1, $0)) })
    }

    /// The sets by which any two of the sightings may be compared: those that are asked for, of what each has, and what two of these
    /// share.
    private func compared(_ images: SightingImages, _ sets: [Set<Modality>]) -> Set<Set<Modality>> {
        let known = Set(encoder.modalities)
        let present = Set(images.sightings.map { known.intersection($0.files.keys) })
        let made = Set(present.flatMap { present in sets.map { present.intersection($0) } })
        return Set(made.flatMap { one in made.map { one.intersection($0) } }).filter { !$0.isEmpty }
    }

    /// The vectors of a batch; the mean with those of its mirror image if these are averaged.
    private func rows(
        _ images: [Modality: [Image]], _ sets: Set<Set<Modality>>
    ) -> [Set<Modality>: Tensor] {
        let seen = encoder.vectors(batch: tensors(images), of: sets)
        guard isFlipAveraged else { return seen }
        let mirrored = encoder.vectors(
            batch: tensors(images.mapValues { $0.map { $0.flippedHorizontally() } }), of: sets)
        return seen.merging(mirrored) { Tensor.mean(of: [$0, $1]) }
    }
}

extension DatasetEvaluation {
    /// Metrics of queries against a gallery, each from those of the modalities that it has. Blocks, and throws as `encoded` does.
    public func metrics(
        queries: SightingImages, gallery: SightingImages, modalities: [Modality],
        distance: Ranking.Distance = .cosine, protocol rule: RetrievalProtocol = .standard,
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> RetrievalMetrics {
        let total = queries.sightings.count + gallery.sightings.count
        // What either side has may be what the other is compared by.
        let sets = Set((queries.sightings + gallery.sightings).map { Set(modalities).intersection($0.files.keys) })
        let q = try encoded(queries, sets: Array(sets)) { done, _ in progress(done, total) }
        let g = try encoded(gallery, sets: Array(sets)) { done, _ in
            progress(queries.sightings.count + done, total)
        }
        let (seekers, items) = (q.items(modalities), g.items(modalities))
        return RetrievalMetrics(
            RankedGallery(items.items, protocol: rule).outcomes(
                of: seekers.items, VectorComparison(seekers, items, distance)))
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
