import Foundation
import Gallery
import Testing

@Suite("Calibration")
struct CalibrationTests {
    private struct Seen {
        let identity: String
        let vector: [Float]
    }

    private func fill(_ store: GalleryStore, identities: Int, each: Int) async throws -> [Seen] {
        var generator = SeededGenerator(seed: 8)
        var all: [Seen] = []
        for identity in 0..<identities {
            let centre = generator.unitVector(16)
            for _ in 0..<each {
                all.append(
                    Seen(identity: "i\(identity)", vector: generator.vector(near: centre, spread: 0.5)))
            }
        }
        for seen in all.shuffled() {
            let embedding = SightingEmbedding(model: "m", space: nil, vectors: ["rgb": seen.vector])
            _ = try await store.enrol(Enrolment(identity: seen.identity, embeddings: [embedding]), in: "g")
        }
        return all
    }

    @Test("The threshold is the lowest at which no more newcomers than wanted are matched, as every pair says")
    func everyPair() async throws {
        try await withStore { store, _ in
            let all = try await fill(store, identities: 60, each: 4)
            let found = try await store.calibrate(in: "g", model: "m", falseMatchRate: 0.05)
            let calibration = try #require(found.first)
            #expect(found.count == 1 && calibration.modalities == ["rgb"])
            #expect(calibration.samples == 240 && calibration.known == 240 && calibration.identities == 60)
            func best(_ seen: Int, _ isOwn: Bool) -> Float {
                all.indices.filter { $0 != seen && (all[$0].identity == all[seen].identity) == isOwn }.map { other in
                    zip(all[seen].vector, all[other].vector).reduce(0) { $0 + $1.0 * $1.1 }
                }.max() ?? -1
            }
            let impostors = all.indices.map { best($0, false) }.sorted(by: >)
            let genuine = all.indices.map { best($0, true) }
            #expect(abs(calibration.point.threshold - impostors[12]) < 1e-6)
            #expect(calibration.point.falseMatchRate == 12.0 / 240)
            let missed = genuine.count { $0 < calibration.point.threshold }
            #expect(abs(calibration.point.missRate - Double(missed) / 240) < 0.005)
            let (low, high) = (calibration.threshold.low, calibration.threshold.high)
            #expect(
                low <= Double(calibration.point.threshold) && Double(calibration.point.threshold) <= high && low < high)
            #expect(calibration.curve.count == 41)
            for (a, b) in zip(calibration.curve, calibration.curve.dropFirst()) {
                #expect(a.threshold <= b.threshold && a.falseMatchRate >= b.falseMatchRate && a.missRate <= b.missRate)
            }
        }
    }

    @Test("Each set of modalities has a threshold of its own, as if sightings had no others")
    func sets() async throws {
        try await withStore { store, _ in
            var generator = SeededGenerator(seed: 9)
            for identity in 0..<20 {
                let centres = ["rgb": generator.unitVector(16), "tir": generator.unitVector(16)]
                for _ in 0..<2 {
                    let vectors = centres.mapValues { generator.vector(near: $0, spread: 0.3) }
                    let embedding = SightingEmbedding(
                        model: "m",
                        space: VectorSpace(combination: .sum, modalities: ["rgb", "tir"], partDimension: 16),
                        vectors: vectors)
                    _ = try await store.enrol(Enrolment(identity: "i\(identity)", embeddings: [embedding]), in: "g")
                }
            }
            let found = try await store.calibrate(in: "g", model: "m", falseMatchRate: 0.1)
            #expect(found.map(\.modalities) == [["rgb"], ["rgb", "tir"], ["tir"]])
            #expect(found.allSatisfy { $0.samples == 40 && $0.known == 40 && $0.point.falseMatchRate <= 0.1 })
        }
    }

    @Test("Fewer sightings than a rate takes, none at all, or a rate that is none are errors")
    func tooFew() async throws {
        try await withStore { store, _ in
            await expectError(.tooFew(expected: 100, found: 0)) {
                try await store.calibrate(in: "g", model: "m", falseMatchRate: 0.01)
            }
            _ = try await fill(store, identities: 3, each: 2)
            await expectError(.tooFew(expected: 100, found: 6)) {
                try await store.calibrate(in: "g", model: "m", falseMatchRate: 0.01)
            }
            #expect(try await store.calibrate(in: "g", model: "m", falseMatchRate: 0.5).count == 1)
            for rate in [0, -1, 0.6, .nan] {
                await expectError(kind: "invalid false_match_rate") {
                    try await store.calibrate(in: "g", model: "m", falseMatchRate: rate)
                }
            }
            await expectError(.notFound(.gallery, "x")) {
                try await store.calibrate(in: "x", model: "m", falseMatchRate: 0.1)
            }
        }
    }
}
