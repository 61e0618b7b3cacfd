import Inference
import Tensor

extension DatasetEvaluation {
    /// Metrics over single images: each image of a query, alone, against a gallery in which each image stands alone,
    /// whatever its modality (MixER). Blocks, and throws as `embeddings` does.
    public func mixedMetrics(
        queries: SightingImages, gallery: SightingImages, protocol rule: RetrievalProtocol,
        distance: Ranking.Distance = .cosine, progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> RetrievalMetrics {
        let total = [queries, gallery].flatMap(\.sightings).reduce(0) { $0 + encodable($1).count }
        var done = 0
        func encoded(_ images: SightingImages) throws -> (items: [RetrievalMetrics.Item], embeddings: Tensor) {
            var (items, parts) = ([RetrievalMetrics.Item](), [Tensor]())
            for modality in modalities {
                let own = images.filtered { $0.files[modality] != nil }
                guard !own.sightings.isEmpty else { continue }
                parts.append(try embeddings(own, modalities: [modality]) { count, _ in progress(done + count, total) })
                done += own.sightings.count
                items += own.sightings.map {
                    .init(
                        identity: $0.identity, camera: $0.camera, scene: $0.scene, modality: modality, name: $0.name)
                }
            }
            return (items, Tensor.concatenated(parts, axis: 0))
        }
        let (q, g) = (try encoded(queries), try encoded(gallery))
        let orders = Ranking.orders(queries: q.embeddings, gallery: g.embeddings, distance)
        return RetrievalMetrics(
            rankings: zip(q.items, orders).lazy.map { item, order in (item, order.map { g.items[$0] }) },
            protocol: rule)
    }

    private func encodable(_ sighting: TriplesDataset.Sighting) -> [Modality] {
        modalities.filter { sighting.files[$0] != nil }
    }
}
