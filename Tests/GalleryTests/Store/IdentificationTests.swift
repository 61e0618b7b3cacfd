import Foundation
import Gallery
import Testing

@Suite("Online re-identification")
struct IdentificationTests {
    private let set = ["rgb"]

    private func passage(
        _ vectors: [[Float]], camera: String? = nil, key: String? = nil, _ change: (inout Passage) -> Void = { _ in }
    ) throws -> Passage {
        let embeddings = vectors.map { SightingEmbedding(model: "m", space: nil, vectors: ["rgb": $0]) }
        let enrolments = embeddings.enumerated().map { place, embedding in
            Enrolment(
                identity: "", camera: camera, embeddings: [embedding],
                idempotency: key.map { Idempotency(key: "\($0) \(place)", fingerprint: "f") })
        }
        var passage = Passage(enrolments, embedding: try SightingEmbedding(meanOf: embeddings))
        change(&passage)
        return passage
    }

    private func at(_ degrees: Float) -> [Float] { [cos(degrees * .pi / 180), sin(degrees * .pi / 180)] }

    private func withThreshold(
        _ threshold: Float = 0.9, _ body: (GalleryStore, TemporaryDirectory) async throws -> Void
    ) async throws {
        try await withStore { store, directory in
            try await store.setThresholds(
                [MatchThreshold(model: "m", modalities: set, threshold: threshold)], model: "m", in: "g")
            try await body(store, directory)
        }
    }

    @Test("A newcomer makes an identity, who comes again joins it, and the answer says how near the others are")
    func newAndKnown() async throws {
        try await withThreshold { store, _ in
            let first = try await store.identify(passage([at(0)], camera: "c"), in: "g")
            let name = try #require(first.identity)
            #expect(first.isNew && !first.isMatched && first.contenders.isEmpty && name.hasPrefix("unknown-"))
            let again = try await store.identify(passage([at(10)]), in: "g")
            #expect(again.isMatched && !again.isNew && again.identity == name)
            #expect(again.contenders.map(\.match.identity) == [name] && again.contenders[0].modalities == set)
            #expect(abs(again.contenders[0].match.score - cos(10 * .pi / 180)) < 1e-6)
            let other = try await store.identify(passage([at(90)]), in: "g")
            #expect(other.isNew && other.identity != name && other.contenders.map(\.match.identity) == [name])
            #expect(try await store.identities(in: "g").items.map(\.sightings) == [2, 1])
            #expect(try await store.identity(name, in: "g").label == nil)
            #expect(try await store.sightings(of: name, in: "g").items.map(\.camera) == ["c", nil])
        }
    }

    @Test("Eight cameras that send the same fifty newcomers at the same time make exactly fifty identities")
    func race() async throws {
        try await withThreshold(0.8) { store, directory in
            var generator = SeededGenerator(seed: 5)
            let newcomers = (0..<50).map { _ in generator.unitVector(64) }
            let seen = (0..<8).map { _ in newcomers.map { generator.vector(near: $0, spread: 0.2) }.shuffled() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for camera in seen.indices {
                    group.addTask {
                        for vector in seen[camera] {
                            let found = try await store.identify(passage([vector], camera: "c\(camera)"), in: "g")
                            #expect(found.sightings.count == 1)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(
                try await store.identities(in: "g", PageRequest(limit: 100)).items.map(\.sightings)
                    == Array(repeating: 8, count: 50))
        }
    }

    @Test("A decision is made within the transaction: who was enrolled since the search is found")
    func simultaneous() async throws {
        try await withThreshold { store, _ in
            let found = try await withThrowingTaskGroup(of: Identification.self) { group in
                for number in 0..<20 {
                    group.addTask { try await store.identify(passage([at(Float(number))]), in: "g") }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(found.count(where: \.isNew) == 1 && Set(found.map(\.identity)).count == 1)
        }
    }

    @Test("Scores of different sets of modalities are ranked by how far they are above their own thresholds")
    func sets() async throws {
        try await withStore { store, _ in
            let space = VectorSpace(combination: .blocks, modalities: ["rgb", "tir"], partDimension: 2)
            func embedding(_ vectors: [String: [Float]]) -> SightingEmbedding {
                SightingEmbedding(model: "m", space: space, vectors: vectors)
            }
            func enrol(_ identity: String, _ vectors: [String: [Float]]) async throws {
                _ = try await store.enrol(Enrolment(identity: identity, embeddings: [embedding(vectors)]), in: "g")
            }
            try await enrol("visible", ["rgb": at(20)])
            try await enrol("thermal", ["tir": at(30)])
            try await enrol("both", ["rgb": at(40), "tir": at(40)])
            let asked = embedding(["rgb": at(0), "tir": at(0)])
            var passage = Passage([Enrolment(identity: "", embeddings: [asked])], embedding: asked)
            passage.isStored = false
            func best(_ thresholds: [([String], Float)]) async throws -> [String] {
                try await store.setThresholds(
                    thresholds.map { MatchThreshold(model: "m", modalities: $0.0, threshold: $0.1) }, model: "m",
                    in: "g")
                let found = try await store.identify(passage, in: "g")
                return (found.identity.map { ["=\($0)"] } ?? ["nobody"]) + found.contenders.map(\.match.identity)
            }
            #expect(
                try await best([(["rgb"], 0.9), (["tir"], 0.6), (["rgb", "tir"], 0.75)]) == [
                    "=thermal", "thermal", "visible", "both",
                ])
            #expect(try await best([(["rgb"], 0.9), (["tir"], 0.9)]) == ["=visible", "visible", "thermal"])
            #expect(try await best([(["rgb", "tir"], 0.8)]) == ["nobody", "both"])
            passage.threshold = 0.93
            #expect(
                try await store.identify(passage, in: "g").contenders.map(\.match.identity) == [
                    "visible", "thermal", "both",
                ])
        }
    }

    @Test("Passages of a model with a vector for each set of modalities: triples of fewer add to what the widest has")
    func vectorsOfSets() async throws {
        let space = VectorSpace(combination: .blocks, modalities: ["nir", "rgb", "tir"], partDimension: 2)
        func embedding(_ modalities: [String], _ degrees: Float) -> SightingEmbedding {
            let alone = modalities.map { ($0, at(degrees)) }
            let together = modalities.count > 1 ? [("nir+rgb", at(degrees + 7) + at(degrees - 7))] : []
            return SightingEmbedding(
                model: "m", space: space, vectors: Dictionary(uniqueKeysWithValues: alone + together))
        }
        try await withStore { store, _ in
            func identify(_ triples: [SightingEmbedding]) async throws -> Identification {
                var passage = Passage(
                    triples.map { Enrolment(identity: "", embeddings: [$0]) },
                    embedding: try SightingEmbedding(meanOf: triples))
                passage.threshold = 0.99
                return try await store.identify(passage, in: "g")
            }
            let first = try await identify([embedding(["nir", "rgb"], 0)])
            #expect(first.isNew)
            // Compared by what both have together, which of the three only the second says anything of.
            let again = try await identify([
                embedding(["rgb"], -5), embedding(["nir", "rgb"], 5), embedding(["tir"], 90),
            ])
            #expect(again.isMatched && again.identity == first.identity && again.sightings.count == 3)
            let best = again.contenders[0]
            #expect(best.modalities == ["nir", "rgb"] && abs(best.match.score - cos(5 * .pi / 180)) < 1e-5)
            let fused = SightingEmbedding(model: "m", modalities: ["nir", "rgb"], values: at(0) + at(0))
            #expect(throws: GalleryError.self) { try SightingEmbedding(meanOf: [fused, embedding(["rgb"], 0)]) }
        }
    }

    @Test("Two identities closer to each other than the margin are ambiguous, and nobody is matched")
    func margin() async throws {
        try await withThreshold(0.5) { store, _ in
            for (name, angle) in [("a", Float(10)), ("b", Float(-12))] {
                let embedding = SightingEmbedding(model: "m", space: nil, vectors: ["rgb": at(angle)])
                _ = try await store.enrol(Enrolment(identity: name, embeddings: [embedding]), in: "g")
            }
            let sure = try await store.identify(passage([at(0)]) { ($0.margin, $0.isStored) = (0.001, false) }, in: "g")
            #expect(sure.isMatched && sure.identity == "a" && !sure.isAmbiguous)
            let unsure = try await store.identify(passage([at(0)]) { ($0.margin, $0.isStored) = (0.1, false) }, in: "g")
            #expect(!unsure.isMatched && unsure.isAmbiguous && unsure.identity == nil)
            let left = try await store.identify(passage([at(0)]) { ($0.margin, $0.mayBeNew) = (0.1, false) }, in: "g")
            #expect(left.sightings.isEmpty && !left.isNew)
            #expect(try await store.sightingCount() == 2)
        }
    }

    @Test("Without a threshold that can be used nothing is matched and nothing enrolled")
    func noThreshold() async throws {
        try await withStore { store, _ in
            await expectError(kind: "noThreshold") { try await store.identify(passage([at(0)]), in: "g") }
            try await store.setThresholds(
                [MatchThreshold(model: "m", modalities: set, threshold: 0.5, isStale: true)], model: "m", in: "g")
            await expectError(kind: "noThreshold") { try await store.identify(passage([at(0)]), in: "g") }
            let found = try await store.identify(passage([at(0)]) { $0.threshold = 0.5 }, in: "g")
            #expect(found.isNew)
            await expectError(.notFound(.gallery, "x")) { try await store.identify(passage([at(0)]), in: "x") }
            await expectError(kind: "invalid threshold") {
                try await store.setThresholds(
                    [MatchThreshold(model: "m", modalities: set, threshold: 2)], model: "m", in: "g")
            }
        }
    }

    @Test(
        "The triples of a passage are decided together and enrolled together; repeated with its key it is found again")
    func passages() async throws {
        try await withThreshold(0.95) { store, directory in
            let first = try await store.identify(passage([at(0), at(40)], key: "k"), in: "g")
            #expect(first.sightings.count == 2 && first.isNew)
            let again = try await store.identify(passage([at(0), at(40)], key: "k"), in: "g")
            #expect(again.isReplay && again.sightings == first.sightings && again.identity == first.identity)
            #expect(try await store.sightingCount() == 2)
            // Each alone is far from 20 degrees; their mean, which is looked for, is not.
            let middle = try await store.identify(passage([at(-10), at(10)]), in: "g")
            #expect(middle.isMatched && middle.identity == first.identity)
        }
    }

    @Test("Another model gets the thresholds of the one before: moved as its scores are, or stale and not used")
    func moved() async throws {
        let shift = try #require(
            ThresholdShift([
                .init(active: 0.7, other: 0.72), .init(active: 0.3, other: 0.4), .init(active: 0.5, other: 0.55),
            ]))
        for (threshold, expected) in [(0.5, 0.55), (0.4, 0.475), (0.9, 0.92), (0.1, 0.2), (0.99, 1), (-1, -0.9)]
            as [(Float, Float)]
        {
            #expect(abs(shift.moved(threshold) - expected) < 1e-6, "\(threshold)")
        }
        #expect(ThresholdShift([]) == nil)
        try await withThreshold(0.5) { store, _ in
            try await store.ledger.activate("m", finishing: nil, moving: nil)
            #expect(try await store.thresholds(in: "g").count == 1)
            try await store.ledger.activate("n", finishing: nil, moving: shift)
            try await store.ledger.activate("o", finishing: nil, moving: nil)
            let thresholds = try await store.thresholds(in: "g")
            #expect(thresholds.map(\.model) == ["m", "n", "o"] && thresholds.map(\.isStale) == [false, false, true])
            #expect(zip(thresholds, [0.5, 0.55, 0.55] as [Float]).allSatisfy { abs($0.threshold - $1) < 1e-6 })
            // A stale one is nobody's to hand on, and one that was set is not replaced.
            try await store.ledger.activate("p", finishing: nil, moving: shift)
            try await store.ledger.activate("m", finishing: nil, moving: shift)
            #expect(try await store.thresholds(in: "g").map(\.model) == ["m", "n", "o"])
        }
    }

    @Test("Thresholds are kept, replaced by model, and erased with their gallery")
    func kept() async throws {
        try await withStore { try await kept($0, $1) }
    }

    private func kept(_ first: GalleryStore, _ directory: TemporaryDirectory) async throws {
        let thresholds = [
            MatchThreshold(model: "a", modalities: ["tir", "rgb"], threshold: 0.25),
            MatchThreshold(model: "a", modalities: ["tir"], threshold: -0.5),
        ]
        var store = first
        try await store.setThresholds(thresholds, model: "a", in: "g")
        try await store.setThresholds(
            [MatchThreshold(model: "b", modalities: ["rgb"], threshold: 1)], model: "b", in: "g")
        try await store.close()
        store = try await directory.open()
        #expect(try await store.thresholds(in: "g").map(\.threshold) == [0.25, -0.5, 1])
        #expect(try await store.thresholds(in: "g")[0].modalities == ["rgb", "tir"])
        try await store.setThresholds([], model: "a", in: "g")
        #expect(try await store.thresholds(in: "g").map(\.model) == ["b"])
        try await store.deleteGallery("g")
        _ = try await store.createGallery("g")
        #expect(try await store.thresholds(in: "g").isEmpty)
        try await store.close()
    }
}
