import Foundation
import Inference
import Testing
import Training

@Suite("Texts as queries")
struct TextQueryTests {
    private func encoder() throws -> MultimodalEncoder {
        let half: [Modality: [Float]] = [.rgb: [0.5, 0.5, 0.5], .tir: [0.5, 0.5, 0.5]]
        let configuration = ModelConfiguration(
            system: .dmf(.init(text: .init(vocabulary: ["<pad>", "red", "van"], width: 12, maxTokens: 6))),
            modalities: [.rgb, .tir], backbone: .vit(.init(width: 24, depth: 1, heads: 3, mlpRatio: 2, patch: 8)),
            input: .init(height: 16, width: 32, mean: half, std: half), identities: 2)
        return try MultimodalEncoder(
            configuration: configuration, weights: WeightInitialization.weights(for: configuration, seed: 3), model: "m"
        )
    }

    @Test("a caption is a query of its identity; one without a known word is left out and counted")
    func texts() async throws {
        let root = Fixture.scratch()
        defer { try? FileManager.default.removeItem(at: root) }
        for split in ["query", "gallery"] {
            try FileManager.default.createDirectory(
                at: root.appendingPathComponent(split), withIntermediateDirectories: true)
            for modality in ["rgb", "tir"] {
                try FileManager.default.createSymbolicLink(
                    at: root.appendingPathComponent("\(split)/\(modality)"),
                    withDestinationURL: Fixture.url("replay/data/train/\(modality)"))
            }
        }
        let (dataset, encoder) = (try TriplesDataset(root: root, layout: "triples"), try encoder())
        #expect {
            _ = try TextQueries(dataset, [encoder])
        } throws: { "\($0)".contains("query/text: expected captions that the model can read, found none") }
        let texts = root.appendingPathComponent("query/text")
        try FileManager.default.createDirectory(at: texts, withIntermediateDirectories: true)
        try Data("a Red van\nsomething\n".utf8).write(to: texts.appendingPathComponent("0001.txt"))
        try Data("a van".utf8).write(to: texts.appendingPathComponent("0099.txt"))
        let queries = try TextQueries(dataset, [encoder])
        #expect(queries.items.items.map(\.identity) == ["0001", "0099"] && queries.items.leftOut == 1)

        let images = TaskImages(
            try dataset.tasks(), Preprocessing(encoder.configuration.input), modalities: encoder.modalities)
        let tasks = EncodedTasks(
            images, try DatasetEvaluation(encoder).encoded(images.images, sets: [[.rgb, .tir], [.rgb], [.tir]]))
        let made = try tasks.tasks(queries)
        let results = made.map { $0.result() }
        #expect(results.map(\.modalities) == ["text to rgb+tir", "text to rgb", "text to tir"])
        // All four of 0001 may be found, by a caption that no camera took; 0099 is nowhere.
        #expect(results.allSatisfy { $0.metrics.queries == 1 && $0.metrics.skipped == 1 && $0.galleries == [20] })
        #expect(results.allSatisfy { $0.ranked?.queriesLeftOut == 1 && $0.queries == 3 })
        // The scores are those of a server's search by text.
        let text = try await encoder.embed(text: "a Red van")
        let image = try #require(try dataset.sightings(.gallery).first)
        let embedded = try await encoder.embed(try image.files.mapValues { try $0.image() }).values
        var distances: [Double] = []
        made[0].visit { query, row in if query == 0 { distances = row } }
        let cosine = zip(text, embedded).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        #expect(abs(-distances[0] / 2 - cosine) < 1e-5)
        #expect(throws: EncoderError.noText) { _ = try TextQueries(dataset, [try Self.blind()]) }
    }

    private static func blind() throws -> MultimodalEncoder {
        let model = try Fixture.graft()
        return try MultimodalEncoder(
            configuration: model.configuration, weights: model.weights.under("weights"), model: "")
    }
}
