import Foundation
import Imaging
import Inference
import Tensor
import Testing
import Training

/// Ranking by what sightings have: of the triples of replay/data, some without an image.
@Suite("Evaluation by sets of modalities")
struct SetEvaluationTests {
    /// Twenty triples as queries and gallery; `without` names what some of them lack.
    private func task(_ without: (Int) -> Set<Modality>) throws -> RetrievalTask {
        let sightings = try TriplesDataset(root: Fixture.url("replay/data")).sightings(.train).enumerated().map {
            number, sighting in
            TriplesDataset.Sighting(
                name: sighting.name, identity: sighting.identity, camera: sighting.camera,
                files: sighting.files.filter { !without(number).contains($0.key) })
        }
        return RetrievalTask(name: "t", queries: sightings, galleries: [sightings], rule: .standard)
    }

    private func encoder() throws -> MultimodalEncoder {
        let model = try Fixture.graft()
        return try MultimodalEncoder(
            configuration: model.configuration, weights: model.weights.under("weights"), model: "")
    }

    private static let sets = (1..<8).map { bits in
        Set(Modality.allCases.enumerated().filter { bits & 1 << $0.offset != 0 }.map(\.element))
    }

    private func encoded(
        _ encoder: MultimodalEncoder, _ task: RetrievalTask, flip: Bool = false
    ) throws -> EncodedTasks {
        let images = TaskImages([task], Preprocessing(encoder.configuration.input), modalities: encoder.modalities)
        let evaluation = DatasetEvaluation(encoder, batch: 3, isFlipAveraged: flip)
        return EncodedTasks(images, try evaluation.encoded(images.images, sets: Self.sets))
    }

    @Test("whole triples are ranked as their embeddings are")
    func whole() throws {
        let (encoder, task) = (try encoder(), try task { _ in [] })
        let tasks = try encoded(encoder, task)
        let images = SightingImages(task.queries, Preprocessing(encoder.configuration.input))
        for set in Self.sets {
            let embedded = try DatasetEvaluation(encoder).embeddings(images, modalities: set.sorted())
            let expected = DatasetEvaluation.metrics(
                Ranking.orders(queries: embedded, gallery: embedded), queries: task.queries, gallery: task.queries)
            let result = try tasks.task(task, set, set, isWhole: true).result()
            #expect(
                result.metrics == expected && result.modalities == set.sorted().map(\.rawValue).joined(separator: "+"))
        }
        let table = try ModalityTable(tasks, task)
        #expect(table.queries == ["rgb", "nir", "tir", "rgb+nir", "rgb+tir", "nir+tir", "rgb+nir+tir"])
        // All lie in one space.
        #expect(table.cells.count == 49 && table.cells.allSatisfy { $0.result?.metrics.queries == 20 })
    }

    @Test("what lacks a modality is ranked by the rest, or left out, and the row says so with counts")
    func missing() throws {
        // Of twenty: five without TIR, one with NIR alone.
        let task = try task { $0 == 7 ? [.rgb, .tir] : $0 % 4 == 0 ? [.tir] : [] }
        let tasks = try encoded(try encoder(), task)
        let evaluation = try Evaluation(tasks, EvaluationPlan())
        #expect(evaluation.results.map(\.modalities) == ["some of rgb+nir+tir", "rgb", "nir", "tir"])
        let ranked = try #require(evaluation.results[0].ranked)
        #expect(ranked.queries.map(\.modalities) == ["rgb+nir+tir", "rgb+nir", "nir"])
        #expect(ranked.queries.map(\.items) == [14, 5, 1] && ranked.queriesLeftOut == 0)
        let thermal = evaluation.results[3]
        #expect(thermal.queries == 20 && thermal.metrics.queries + thermal.metrics.skipped == 14)
        #expect(thermal.ranked?.queriesLeftOut == 6 && thermal.ranked?.galleryLeftOut == 6)
        #expect(thermal.galleries == [14])
        let whole = try tasks.task(task, Set(Modality.allCases), Set(Modality.allCases), isWhole: true)
        #expect(whole.queries.items.count == 14 && whole.label == "rgb+nir+tir")
        // Two different sets are compared by what they share: 0 has nir+rgb, 7 has nir, 1 has all.
        let mixed = try tasks.task(task, Set(Modality.allCases), Set(Modality.allCases))
        let near = try tasks.task(task, [.nir], [.nir])
        var (all, alone) = ([Int: [Double]](), [Int: [Double]]())
        mixed.visit { all[$0] = $1 }
        near.visit { alone[$0] = $1 }
        for other in [0, 1, 19] { #expect(abs((all[7]?[other] ?? 9) - (alone[7]?[other] ?? 0)) < 1e-5) }
        #expect(abs((all[0]?[1] ?? 9) - (alone[0]?[1] ?? 9)) > 1e-5)
    }

    @Test("a side with nothing of what is ranked is refused, with a file; so is a sighting that a model cannot see")
    func blind() throws {
        let (encoder, task) = (try encoder(), try task { _ in [.tir] })
        let tasks = try encoded(encoder, task)
        #expect {
            _ = try tasks.task(task, [.tir], [.nir])
        } throws: { "\($0)".contains("expected queries with tir, found none;") && "\($0)".contains("is rgb, nir") }
        // No row for what is not there, and the whole is what there is.
        let results = try Evaluation(tasks, EvaluationPlan()).results
        #expect(results.map(\.modalities) == ["rgb+nir", "rgb", "nir"])
        let none = TriplesDataset.Sighting(name: "x", identity: "x", camera: 1, files: [:])
        let images = SightingImages([none], Preprocessing(encoder.configuration.input))
        #expect(throws: DatasetError.self) {
            _ = try DatasetEvaluation(encoder).embeddings(images, modalities: encoder.modalities)
        }
    }

    @Test("an ensemble's score is the mean of its models'; a mirrored image's vector is averaged in")
    func ensemble() throws {
        let (encoder, task) = (try encoder(), try task { _ in [] })
        let (plain, flipped) = (try encoded(encoder, task), try encoded(encoder, task, flip: true))
        let images = TaskImages([task], Preprocessing(encoder.configuration.input), modalities: encoder.modalities)
        let both = EncodedTasks(images, EncodedSightings.ensemble([plain.encoded, flipped.encoded]))
        let all = Set(Modality.allCases)
        let rows = try [plain, flipped, both].map { tasks in
            var rows = [Int: [Double]]()
            try tasks.task(task, all, all).visit { rows[$0] = $1 }
            return rows
        }
        for query in 0..<20 {
            let (a, b, mean) = (rows[0][query] ?? [], rows[1][query] ?? [], rows[2][query] ?? [])
            #expect(zip(zip(a, b), mean).allSatisfy { abs(($0.0 + $0.1) / 2 - $1) < 1e-5 } && mean.count == 20)
            #expect(zip(a, b).contains { abs($0 - $1) > 1e-5 })
        }
        // By hand: the sum of the vectors of the images and of the mirrored ones.
        let preprocessing = Preprocessing(encoder.configuration.input)
        let loaded = try task.queries[..<2].map { try $0.files.mapValues { preprocessing.resized(try $0.image()) } }
        let vectors = try [false, true].map { isMirrored in
            try encoder.embed(
                batch: Dictionary(
                    uniqueKeysWithValues: encoder.modalities.map { modality in
                        let images = loaded.compactMap { $0[modality] }
                        return (
                            modality,
                            preprocessing.tensor(
                                isMirrored ? images.map { $0.flippedHorizontally() } : images, modality)
                        )
                    }))
        }
        let units = Embedding.normalised(Tensor.mean(of: vectors))
        let cosine = zip(units[0], units[1]).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        #expect(abs(-(rows[1][0]?[1] ?? 0) / 2 - cosine) < 1e-5)
    }

    @Test("where modalities give each other something, the vector of exactly what two sightings share is compared")
    func interacting() throws {
        let configuration = ModelConfiguration(
            system: .ieee(.init(parts: 2, reduced: 16, partWidth: 8, attentionRatio: 16)),
            modalities: [.rgb, .nir, .tir], backbone: .resnet(.init(depth: 18, lastStride: 1)),
            input: .init(
                height: 32, width: 32, mean: [.rgb: [0.5, 0.5, 0.5], .nir: [0.5, 0.5, 0.5], .tir: [0.5, 0.5, 0.5]],
                std: [.rgb: [0.5, 0.5, 0.5], .nir: [0.5, 0.5, 0.5], .tir: [0.5, 0.5, 0.5]]),
            identities: 2)
        let encoder = try MultimodalEncoder(
            configuration: configuration, weights: WeightInitialization.weights(for: configuration, seed: 4), model: "m"
        )
        let task = try task { _ in [] }
        let tasks = try encoded(encoder, task)
        let cross = try tasks.task(task, [.rgb, .nir], [.nir, .tir])
        let alone = try tasks.task(task, [.nir], [.nir])
        var (found, expected) = ([Int: [Double]](), [Int: [Double]]())
        cross.visit { found[$0] = $1 }
        alone.visit { expected[$0] = $1 }
        #expect(found == expected && found.count == 20)
        // Blocks that share nothing cannot be compared.
        let table = try ModalityTable(tasks, task)
        let none = try #require(table.cells.first { $0.query == "nir" && $0.gallery == "rgb+tir" })
        #expect(none.result == nil && none.reason == "no modality in common")
        #expect(table.cells.count { $0.result == nil } == 12)
    }
}
