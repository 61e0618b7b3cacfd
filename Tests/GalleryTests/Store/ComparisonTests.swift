import Foundation
import Gallery
import Testing

/// Every set of modalities as a query against every other in the gallery, for all seven systems, as the reference compares them.
struct ComparisonTests {
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let combination: String
        let modalities: [String]
        /// Little-endian float32, in base64.
        let vectors: [Data]
        /// By set, modality and sample: which vector.
        let parts: [[String: [Int]]]
        /// By query's set, gallery's set, query's sample and gallery's sample; nil if they cannot be compared.
        let scores: [[[[Float]]?]]

        var testDescription: String { name }

        private func vectors(_ set: Int, _ sample: Int) -> [String: [Float]] {
            parts[set].mapValues { samples in
                vectors[samples[sample]].withUnsafeBytes { bytes in
                    (0..<(bytes.count / 4)).map {
                        Float(bitPattern: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self).littleEndian)
                    }
                }
            }
        }

        func embedding(_ set: Int, _ sample: Int) -> SightingEmbedding {
            let vectors = vectors(set, sample)
            let space = VectorSpace(
                combination: combination == "sum" ? .sum : .blocks, modalities: modalities,
                partDimension: vectors.first { !$0.key.contains("+") }?.value.count ?? 0)
            return SightingEmbedding(model: "m", space: space, vectors: vectors)
        }
    }

    private static let cases: [Case] = {
        guard let url = Bundle.module.url(forResource: "comparison", withExtension: "json", subdirectory: "Fixtures"),
            let data = try? Data(contentsOf: url)
        else { return [] }
        return (try? JSONDecoder().decode([Case].self, from: data)) ?? []
    }()

    @Test("There are seven systems")
    func systems() { #expect(Self.cases.count == 7 && Self.cases.allSatisfy { $0.parts.count == 7 }) }

    @Test("Scores of every set with every other are the reference's", arguments: Self.cases)
    func everyPair(golden: Case) async throws {
        try await withStore { store, _ in
            let (sets, samples) = (golden.parts.count, 2)
            for set in 0..<sets {
                for sample in 0..<samples {
                    let enrolment = Enrolment(identity: "\(set)-\(sample)", embeddings: [golden.embedding(set, sample)])
                    _ = try await store.enrol(enrolment, in: "g")
                }
            }
            for asked in 0..<sets {
                for sample in 0..<samples {
                    let query = GalleryQuery(
                        embedding: golden.embedding(asked, sample), limit: 100, grouping: .sighting)
                    let result = try await store.query(query, in: "g")
                    var expected: [String: Float] = [:]
                    for (set, scores) in golden.scores[asked].enumerated() {
                        for (other, score) in (scores?[sample] ?? []).enumerated() {
                            expected["\(set)-\(other)"] = score
                        }
                    }
                    #expect(result.matches.count == expected.count)
                    #expect(result.statistics.incomparable == sets * samples - expected.count)
                    for match in result.matches {
                        #expect(abs(match.score - (expected[match.identity] ?? .nan)) < 1e-5, "\(match.identity)")
                    }
                }
            }
        }
    }
}
