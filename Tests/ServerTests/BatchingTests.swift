import Dispatch
import Foundation
import Inference
import Server
import Serving
import Synchronization
import Tensor
import ServingFixtures
import Testing
import Threads
import Training

@Suite("Requests that are encoded together")
struct BatchingTests {
    @Test("a request whose time is over while it waits is told so, and is never encoded")
    func deadline() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("tiny-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try await TinyModel.file(seed: 1).data.write(to: file)
        let encoded = Mutex(0)
        let thread = ComputeThread(name: "batching test")
        var batching = Batching()
        batching.observe = { waits in encoded.withLock { $0 += waits.count } }
        let encoder = try MultimodalEncoder(
            consuming: Checkpoint.load(path: file.path), compute: thread, batching: batching)
        let gate = DispatchSemaphore(value: 0)
        async let busy: Void = thread.run { gate.wait() }
        try await TestServer.run({ $0.limits.requestSeconds = 1 }, encoder: encoder) { server in
            defer { gate.signal() }
            let late = try await server.sendForm("/v1/embeddings", ["rgb": picture(1)])
            #expect(late.status == 503 && late.problem == "deadline" && late.headers["retry-after"] == "5")
        }
        try await busy
        try await thread.run {}
        #expect(encoded.withLock { $0 } == 0)
    }

    @Test("sizes and waits are among the metrics")
    func metrics() async throws {
        try await TestServer.run { server in
            let model = try await server.publish(seed: 1)
            _ = try await server.activate(model)
            let answer = try await server.sendForm("/v1/embeddings", ["rgb": picture(1)])
            #expect(answer.status == 200)
            let text = String(decoding: try await server.send("GET", "/metrics").data, as: UTF8.self)
            #expect(text.contains("triptych_batch_triples_bucket{le=\"1.0\"} 1\n"))
            #expect(text.contains("triptych_batch_wait_seconds_count 1\n"))
        }
    }

    @Test("the largest batch and the wait are the configuration's")
    func configuration() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("batching-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        func read(_ yaml: String) throws -> ServingConfiguration.Batching {
            try Data(yaml.utf8).write(to: file)
            return try ServerConfiguration(path: file.path).batching
        }
        let found = try read("batching: {most: 4, wait_milliseconds: 7}")
        #expect(found.most == 4 && found.waitMilliseconds == 7)
        for wrong in ["most: 0", "most: 65", "wait_milliseconds: -1", "wait_milliseconds: 1001", "wait: 1"] {
            #expect(throws: ServerError.self, "\(wrong)") { try read("batching: {\(wrong)}") }
        }
    }
}
