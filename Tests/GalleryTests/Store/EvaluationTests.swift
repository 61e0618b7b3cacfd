import DatabaseFixtures
import Foundation
import GRDB
import Gallery
import Testing

@Suite("Evaluation of a gallery")
struct EvaluationTests {
    private func agree(_ a: GalleryEvaluation.Retrieval, _ b: GalleryEvaluation.Retrieval) -> Bool {
        let numbers = { (r: GalleryEvaluation.Retrieval) in
            [r.meanAveragePrecision, r.meanInverseNegativePenalty, r.rank1, r.rank5, r.rank10]
        }
        return zip(numbers(a), numbers(b)).allSatisfy { abs($0 - $1) < 1e-9 }
            && (a.queries, a.skipped) == (b.queries, b.skipped)
    }

    @Test("mAP, mINP and CMC, with and without the same camera, are those of the reference", arguments: [1, 6])
    func golden(threads: Int) async throws {
        let golden = try AnalysisGolden.load()
        var configuration = GalleryConfiguration()
        configuration.searchThreads = threads
        try await withStore(configuration, on: DatabaseEngine.holdingVectors) { store, _ in
            for (index, vector) in golden.vectors.enumerated() {
                let camera = golden.camera[index] < 0 ? nil : "camera-\(golden.camera[index])"
                try await store.add("i\(golden.identity[index])", vector, camera: camera)
            }
            let found = try await store.evaluate(in: "g", model: "m")
            #expect(agree(found.all, golden.all), "\(found.all)")
            #expect(agree(found.crossCamera, golden.crossCamera), "\(found.crossCamera)")
            #expect((found.sightings, found.identities, found.samples, found.incomparable) == (40, 10, 40, 0))
            let report = try await store.latestEvaluation(in: "g")
            #expect(report.evaluation == found)
        }
    }

    @Test("Ranks are those of a full sort, equal scores in order of enrolment")
    func ranks() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<50 {
            let marks = (0..<60).map { place in
                RankCounter.Mark(score: Float(Int.random(in: 0..<8, using: &generator)), place: place)
            }
            let own = Set(marks.indices.filter { _ in Int.random(in: 0..<5, using: &generator) == 0 })
            var counter = RankCounter(marks.indices.filter(own.contains).map { marks[$0] })
            for index in marks.indices where !own.contains(index) { counter.count(marks[index]) }
            let order = marks.sorted { $0.score != $1.score ? $0.score > $1.score : $0.place < $1.place }
            let ahead = order.enumerated().filter { own.contains($1.place) }.enumerated().map { $1.offset - $0 }
            #expect(counter.ahead == ahead)
        }
    }

    /// Some sightings have only one modality, so that pairs are compared by different sets.
    private func fillMixed(_ store: GalleryStore, _ combination: VectorSpace.Combination) async throws -> [String] {
        var generator = SeededGenerator(seed: 4)
        let space = VectorSpace(combination: combination, modalities: ["rgb", "tir"], partDimension: 8)
        var sightings: [String] = []
        for identity in 0..<12 {
            let centres = ["rgb": generator.unitVector(8), "tir": generator.unitVector(8)]
            for number in 0..<4 {
                let kept = [["rgb"], ["tir"], ["rgb", "tir"], ["rgb", "tir"]][number]
                let vectors = centres.filter { kept.contains($0.key) }
                    .mapValues { generator.vector(near: $0, spread: 0.9) }
                let embedding = SightingEmbedding(model: "m", space: space, vectors: vectors)
                sightings.append(
                    try await store.enrol(Enrolment(identity: "i\(identity)", embeddings: [embedding]), in: "g")
                        .sighting.id)
            }
        }
        return sightings
    }

    @Test(
        "Sightings are compared as queries are, whatever modalities they have",
        arguments: [VectorSpace.Combination.sum, .blocks])
    func asQueries(combination: VectorSpace.Combination) async throws {
        try await withStore(on: DatabaseEngine.holdingVectors) { store, _ in
            let sightings = try await fillMixed(store, combination)
            let found = try await store.evaluate(in: "g", model: "m")
            var (precision, impostors) = (0.0, [Float]())
            for sighting in sightings {
                let embedding = try #require(try await store.embedding(of: sighting, in: "g", model: "m"))
                var filter = QueryFilter()
                filter.excludeSightings = [sighting]
                let matches = try await store.query(
                    GalleryQuery(embedding: embedding, limit: 100, grouping: .sighting, filter: filter), in: "g"
                ).matches
                let own = try await store.sighting(sighting, in: "g").identity
                let hits = matches.indices.filter { matches[$0].identity == own }
                let precisions = hits.enumerated().map { Double($0 + 1) / Double($1 + 1) }
                precision += precisions.reduce(0, +) / Double(hits.count)
                impostors.append(try #require(matches.first { $0.identity != own }).score)
            }
            #expect(abs(found.all.meanAveragePrecision - precision / 48) < 1e-12)
            // In each identity, the one of rgb alone and the one of tir alone share nothing: blocks cannot tell.
            #expect(found.incomparable == (combination == .sum ? 0 : 24))
            let sets = found.scores.map(\.modalities)
            #expect(sets == [["rgb"], ["rgb", "tir"], ["tir"]])
            // The lowest and the highest of all queries' best are among the ends of the curves.
            let highest = found.scores.compactMap { $0.curve.last?.threshold }.max() ?? -1
            #expect(highest >= impostors.max() ?? 2)
            for scores in found.scores {
                #expect(scores.genuine.count == 100 && scores.impostor.count == 100 && scores.curve.count == 41)
                #expect(scores.curve.first?.errors.falsePositiveIdentificationRate == 1)
                #expect(scores.curve.first?.errors.falseNegativeIdentificationRate == 0)
                for (a, b) in zip(scores.curve, scores.curve.dropFirst()) {
                    #expect(a.errors.falsePositiveIdentificationRate >= b.errors.falsePositiveIdentificationRate)
                    #expect(a.errors.falseNegativeIdentificationRate <= b.errors.falseNegativeIdentificationRate)
                }
            }
        }
    }

    @Test("At the gallery's thresholds the errors are the shares of newcomers accepted and of the known missed")
    func errors() async throws {
        try await withStore(on: DatabaseEngine.holdingVectors) { store, _ in
            // By angle: a at 0 and 10 degrees, b at 30 and 90, c alone at 95.
            for (identity, degrees) in [("a", 0.0), ("a", 10), ("b", 30), ("b", 90), ("c", 95)] {
                let angle = degrees * .pi / 180
                try await store.add(identity, [Float(cos(angle)), Float(sin(angle))])
            }
            #expect(try await store.evaluate(in: "g", model: "m").errors == nil)
            let threshold = Float(cos(25 * Double.pi / 180))
            try await store.setThresholds(
                [MatchThreshold(model: "m", modalities: ["rgb"], threshold: threshold)], model: "m", in: "g")
            let found = try await store.evaluate(in: "g", model: "m")
            let errors = try #require(found.errors)
            // As newcomers: 10 is near 30, 30 near 10, 90 near 95, 95 near 90; 0 is near none. As known: b's two are far apart.
            #expect(errors.falsePositiveIdentificationRate == 0.8 && errors.falseNegativeIdentificationRate == 0.5)
            #expect(found.scores.first?.errors == errors && found.scores.first?.threshold == threshold)
            #expect((found.all.queries, found.all.skipped) == (4, 1))
            #expect(found.scores.first?.genuine.reduce(0, +) == 4 && found.scores.first?.impostor.reduce(0, +) == 5)
        }
    }

    @Test("Failures and poor identities are told by today's names, and not at all once they are erased or one")
    func names() async throws {
        try await withStore(on: DatabaseEngine.holdingVectors) { store, directory in
            let first = try await store.add("a", [1, 0, 0])
            try await store.add("a", [0, 1, 0])
            let rival = try await store.add("b", [1, 0.1, 0])
            try await store.add("b", [1, 0.3, 0.1])
            try await store.add("c", [0.2, 1, 0.1])
            _ = try await store.evaluate(in: "g", model: "m")
            let report = try await store.latestEvaluation(in: "g")
            #expect(report.worst.map(\.identity).contains("a") && report.worst.allSatisfy { $0.sightings == 2 })
            let failure = try #require(report.failures.first { $0.sighting == first })
            #expect(failure.found.sighting == rival && failure.found.identity == "b" && failure.rank == 4)
            #expect(failure.found.score > failure.genuine?.score ?? 2)
            _ = try await store.renameIdentity("b", to: "d", in: "g")
            #expect(
                try await store.latestEvaluation(in: "g").failures.first { $0.sighting == first }?.found.identity == "d"
            )
            let merged = try await store.mergeIdentities(["d"], into: "a", in: "g")
            #expect(!(try await store.latestEvaluation(in: "g").failures.contains { $0.sighting == first }))
            _ = try await store.undoCorrection(merged.id, in: "g")
            #expect(try await store.latestEvaluation(in: "g").failures.contains { $0.sighting == first })
            try await store.deleteIdentity("a", in: "g")
            let erased = try await store.latestEvaluation(in: "g")
            #expect(!erased.worst.contains { $0.identity == "a" } && !erased.failures.contains { $0.identity == "a" })
            // What is kept names nothing.
            guard directory.engine == .sqlite else { return }
            let queue = try directory.connect()
            let document = try await queue.read { try String.fetchOne($0, sql: "SELECT document FROM analysis") }
            #expect(document?.contains("worst") == true && document?.contains(first) == false)
            #expect(document?.contains(rival) == false)
            try queue.close()
        }
    }

    @Test("The same seed draws the same sightings, another one others; so many as are asked for")
    func seeds() async throws {
        try await withStore(on: DatabaseEngine.holdingVectors) { store, _ in
            var generator = SeededGenerator(seed: 6)
            for identity in 0..<30 {
                let centre = generator.unitVector(8)
                for _ in 0..<3 { try await store.add("i\(identity)", generator.vector(near: centre, spread: 1)) }
            }
            let found = try await store.evaluate(in: "g", model: "m", samples: 20, seed: 5)
            #expect(found.samples == 20 && found.sightings == 90)
            #expect(try await store.evaluate(in: "g", model: "m", samples: 20, seed: 5) == found)
            #expect(try await store.evaluate(in: "g", model: "m", samples: 20, seed: 6).scores != found.scores)
        }
    }

    @Test("Of many failures and poor identities the fifty worst are told")
    func bounded() async throws {
        try await withStore(on: DatabaseEngine.holdingVectors) { store, _ in
            var generator = SeededGenerator(seed: 7)
            for number in 0..<240 { try await store.add("i\(number % 80)", generator.unitVector(6)) }
            let found = try await store.evaluate(in: "g", model: "m")
            #expect(found.all.rank1 < 0.5 && found.all.queries == 240)
            let report = try await store.latestEvaluation(in: "g")
            #expect(report.failures.count == 50 && report.worst.count == 50)
            let margins = report.failures.map { $0.found.score - ($0.genuine?.score ?? 2) }
            #expect(margins == margins.sorted(by: >) && margins.allSatisfy { $0 > 0 })
            #expect(report.worst.map(\.meanAveragePrecision) == report.worst.map(\.meanAveragePrecision).sorted())
            #expect(report.worst.allSatisfy { $0.queries == 3 })
        }
    }

    @Test("The latest of a gallery and model is kept; it goes with the model and the gallery")
    func kept() async throws {
        try await withStore(on: DatabaseEngine.holdingVectors) { store, _ in
            await expectError(.notFound(.evaluation, "g")) { try await store.latestEvaluation(in: "g") }
            for model in ["m", "n"] {
                for identity in ["a", "b"] { try await store.add(identity, [1, 0.5], model: model) }
                _ = try await store.evaluate(in: "g", model: model)
            }
            #expect(try await store.latestEvaluation(in: "g").evaluation.model == "n")
            _ = try await store.evaluate(in: "g", model: "m", seed: 9)
            #expect(try await store.latestEvaluation(in: "g").evaluation.seed == 9)
            #expect(try await store.latestEvaluation(in: "g", model: "n").evaluation.model == "n")
            try await store.deleteEmbeddings(model: "m")
            await expectError(.notFound(.evaluation, "m")) { try await store.latestEvaluation(in: "g", model: "m") }
            #expect(try await store.latestEvaluation(in: "g").evaluation.model == "n")
            try await store.deleteGallery("g")
            _ = try await store.createGallery("g")
            await expectError(.notFound(.evaluation, "g")) { try await store.latestEvaluation(in: "g") }
            try await store.waitUntilErased()
            try await store.checkIntegrity()
        }
    }

    @Test("Without two sightings, for numbers that are out of bounds, and when it is cancelled nothing is kept")
    func refused() async throws {
        try await withStore(on: DatabaseEngine.holdingVectors) { store, _ in
            await expectError(.tooFew(expected: 2, found: 0)) { try await store.evaluate(in: "g", model: "m") }
            try await store.add("a", [1, 0])
            await expectError(.tooFew(expected: 2, found: 1)) { try await store.evaluate(in: "g", model: "m") }
            try await store.add("b", [0, 1])
            for samples in [0, 100_001] {
                await expectError(kind: "invalid samples") {
                    try await store.evaluate(in: "g", model: "m", samples: samples)
                }
            }
            await expectError(.notFound(.gallery, "x")) { try await store.evaluate(in: "x", model: "m") }
            await #expect(throws: CancellationError.self) {
                try await store.evaluate(in: "g", model: "m") { _, _ in throw CancellationError() }
            }
            await expectError(.notFound(.evaluation, "g")) { try await store.latestEvaluation(in: "g") }
        }
    }
}
