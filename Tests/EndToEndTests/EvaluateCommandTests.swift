import Foundation
import Testing

@Suite("End to end: evaluate")
struct EvaluateCommandTests {
    private struct Measured: Decodable {
        struct Table: Decodable {
            let queries: [String]
        }

        struct OpenSet: Decodable {
            struct Point: Decodable {
                let rate: Double
            }

            let points: [Point]
        }

        let modalityTables: [Table], openSets: [OpenSet]
    }

    @Test("every set against every other, cameras, and unknowns, as tables and as JSON, with the curve")
    func tables() async throws {
        let world = try await World()
        let curve = world.folder.path("curve.svg")
        let arguments = [
            "evaluate", "--checkpoint", world.model, "--data", world.data, "--any-to-any", "--cameras", "--open-set",
            "0.5",
            "--fpir", "0.2,0.4", "--curve", curve,
        ]
        let shown = try await world.triptych.start(arguments).result()
        #expect(
            shown.status == 0 && shown.output.contains("Rank-1, query's camera \\ gallery's camera"), "\(shown.error)")
        #expect(shown.output.contains("mAP, query \\ gallery") && shown.output.contains("curve: \(curve)"))
        #expect(try String(contentsOfFile: curve, encoding: .utf8).hasPrefix("<svg"))
        let json = try await world.triptych.start(arguments + ["--json"]).result().output
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let measured = try decoder.decode(Measured.self, from: Data(json.utf8))
        #expect(measured.modalityTables.map(\.queries.count) == [7])
        #expect(measured.openSets.map { $0.points.map(\.rate) } == [[0.2, 0.4]])
    }

    @Test("what does not go together is refused")
    func refused() async throws {
        let world = try await World()
        let options: [([String], String)] = [
            (["--open-set", "0.5", "--rerank"], "cosines"), (["--open-set", "2"], "share from 0 to 1"),
            (["--rerank", "--distance", "euclidean"], "--rerank"), (["--ensemble"], "two models or more"),
            (["--fpir", "0.1,x"], "--fpir"), (["--curve", "c.svg"], "--open-set"), (["--k1", "5"], "--rerank"),
            (["--protocol", "mix", "--any-to-any"], "stand alone"), (["--embeddings", "x"], "--embeddings alone"),
            (["--texts"], "the model reads images only"),
        ]
        for (more, reason) in options {
            let result = try await world.triptych.start(
                ["evaluate", "--checkpoint", world.model, "--data", world.data] + more
            ).result()
            #expect(result.status != 0 && result.error.contains(reason), "\(more): \(result.error)")
            // Before anything was encoded.
            #expect(!result.error.contains("encoding"))
        }
    }
}
