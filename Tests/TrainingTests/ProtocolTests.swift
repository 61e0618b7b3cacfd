import Inference
import Testing
import Training

@Suite("Retrieval protocols")
struct ProtocolTests {
    private static let query = RetrievalMetrics.Item(identity: "a", camera: 1, modality: .rgb, name: "a_c1_0")
    private static let gallery: [RetrievalMetrics.Item] = [
        query,
        .init(identity: "a", camera: 1, modality: .rgb, name: "a_c1_1"),
        .init(identity: "a", camera: 1, modality: .tir, name: "a_c1_0"),
        .init(identity: "a", camera: 2, modality: .rgb, name: "a_c2_0"),
        .init(identity: "a", camera: 2, modality: .tir, name: "a_c2_0"),
        .init(identity: "b", camera: 1, modality: .rgb, name: "b_c1_0"),
        .init(identity: "b", camera: 2, modality: .tir, name: "b_c2_0"),
    ]

    @Test(
        "each protocol ranks what MixER's definition says",
        arguments: [
            (RetrievalProtocol.standard, [3, 4, 5, 6]), (.mix, [1, 2, 3, 4, 5, 6]), (.mixCam, [3, 4, 6]),
            (.mixID, [2, 4, 5, 6]), (.mixCamID, [3, 4, 5, 6]),
            (.crossModal, [4, 6]), (.uniModal, [3, 5]),
        ])
    func ranked(rule: RetrievalProtocol, expected: [Int]) {
        #expect(Self.gallery.indices.filter { rule.ranks(Self.gallery[$0], for: Self.query) } == expected)
    }

    @Test("single images are ranked against single images of every modality")
    func mixed() throws {
        let dataset = try TriplesDataset(root: Fixture.url("replay/data"))
        let model = try Fixture.graft()
        let encoder = try MultimodalEncoder(
            configuration: model.configuration, weights: model.weights.under("weights"), model: "")
        let sightings = try dataset.sightings(.train)
        let task = RetrievalTask(name: "t", queries: sightings, galleries: [sightings], rule: .standard)
        let images = TaskImages([task], Preprocessing(model.configuration.input), modalities: encoder.modalities)
        let tasks = EncodedTasks(
            images,
            try DatasetEvaluation(encoder).encoded(images.images, sets: encoder.modalities.map { [$0] }))
        for rule in RetrievalProtocol.mixed {
            let result = try tasks.singles(task, rule: rule).result()
            #expect(result.metrics.queries == 20 * encoder.modalities.count && result.metrics.skipped == 0)
            #expect(result.metrics.mAP > 0.1 && result.metrics.mAP < 1 && result.notRanked == rule.notRanked)
            #expect(result.ranked?.queries.map(\.items) == [20, 20, 20])
        }
    }
}
