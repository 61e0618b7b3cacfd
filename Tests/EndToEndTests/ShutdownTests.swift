import Foundation
import FoundationNetworking
import Inference
import Testing
import Training

@Suite("End to end: SIGTERM")
struct ShutdownTests {
    /// Small to send and long to compute: attention among 3840 patches, in 32 layers.
    private static let costly = ModelConfiguration(
        system: .unicat, modalities: [.rgb], backbone: .vit(.init(width: 16, depth: 32, heads: 1, patch: 1)),
        input: .init(height: 64, width: 60, mean: [.rgb: [0.5, 0.5, 0.5]], std: [.rgb: [0.5, 0.5, 0.5]]),
        identities: 2)

    @Test(
        "with drain_seconds it says that it is not ready, answers new connections, and ends at once at a second signal")
    func draining() async throws {
        let world = try await World()
        try world.configure("limits: {drain_seconds: 3600}")
        let (server, port) = try await world.serve()
        func status(_ path: String) async throws -> Int? {
            // A connection of its own.
            let session = URLSession(configuration: .ephemeral)
            let url = try #require(URL(string: "http://127.0.0.1:\(port)\(path)"))
            return (try await session.data(from: url).1 as? HTTPURLResponse)?.statusCode
        }
        #expect(try await status("/readyz") == 200)
        server.send(SIGTERM)
        let deadline = ContinuousClock.now + .seconds(120)
        while try await status("/readyz") == 200, .now < deadline { try await Task.sleep(for: .milliseconds(20)) }
        #expect(try await status("/readyz") == 503)
        #expect(try await status("/healthz") == 200)
        #expect(try await status("/v1/galleries") == 200)
        server.send(SIGINT)
        let ended = try await server.result()
        #expect(ended.status == 0 && ended.error.contains("draining") && ended.error.contains("stopped"))
    }

    @Test("a model that is being verified does not hold up the end of the server, and is not taken")
    func verifying() async throws {
        let world = try await World()
        let path = world.folder.path("costly.safetensors")
        let weights = try WeightInitialization.weights(for: Self.costly, seed: 1)
        try Checkpoint.save(configuration: Self.costly, weights: weights, to: path)
        let (server, port) = try await world.serve()
        var request = URLRequest(url: try #require(URL(string: "http://127.0.0.1:\(port)/v1/models")))
        request.httpMethod = "POST"
        request.setValue("application/octet-stream", forHTTPHeaderField: "Content-Type")
        request.httpBody = try Data(contentsOf: URL(fileURLWithPath: path))
        let upload = Task { [request] in try await URLSession.shared.data(for: request) }
        let models = world.database + "-models"
        // On a busy machine sending takes a while; verifying what has come takes longer still.
        let whole = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
        func hasCome() throws -> Bool {
            try FileManager.default.contentsOfDirectory(atPath: models).contains { name in
                let size = (try? FileManager.default.attributesOfItem(atPath: "\(models)/\(name)"))?[.size] as? Int
                return !name.hasSuffix(".safetensors") && size == whole
            }
        }
        let deadline = ContinuousClock.now + .seconds(120)
        while try !hasCome() && .now < deadline { try await Task.sleep(for: .milliseconds(50)) }
        #expect(try hasCome(), "the model has not come, or was verified at once")
        server.send(SIGTERM)
        #expect(try await server.result().status == 0)
        let answer = try? await upload.value
        #expect((answer?.1 as? HTTPURLResponse)?.statusCode != 201)
        let after = try FileManager.default.contentsOfDirectory(atPath: models)
        #expect(after.count { $0.hasSuffix(".safetensors") } == 1, "\(after)")
    }
}
