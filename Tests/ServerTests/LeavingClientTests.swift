import Foundation
import Imaging
import Inference
import Server
import ServingFixtures
import Synchronization
import Testing

@Suite("Clients that leave")
struct LeavingClientTests {
    /// Keeps whoever prepares an image until it may go on.
    private final class Gate: Sendable {
        let prepared = Mutex(0)
        let open = DispatchSemaphore(value: 0)

        func pass() {
            prepared.withLock { $0 += 1 }
            _ = open.wait(timeout: .now() + 60)
            open.signal()
        }
    }

    private struct GatedEncoder: TripleEncoder {
        let gate: Gate
        private let encoder = BrightnessEncoder()
        var model: String { encoder.model }
        var modalities: [Modality] { encoder.modalities }
        var dimension: Int { encoder.dimension }
        var combination: Combination { encoder.combination }
        var inputSize: Image.Size { encoder.inputSize }

        init(gate: Gate) { self.gate = gate }

        func prepared(_ image: Image) -> Image {
            gate.pass()
            return encoder.prepared(image)
        }

        func embed(_ images: [Modality: Image]) async throws -> Embedding { try await encoder.embed(images) }
    }

    @Test("what waited for a client that has left is never begun, and the next client is answered")
    func queuedWork() async throws {
        let gate = Gate()
        try await TestServer.run({ $0.threads.decoding = 1 }, encoder: GatedEncoder(gate: gate)) { server in
            async let first = server.sendForm("/v1/embeddings", ["rgb": picture(1)])
            while gate.prepared.withLock({ $0 }) < 1 { try await Task.sleep(for: .milliseconds(5)) }
            let leaving = (0..<3).map { _ in
                Task { try await server.sendForm("/v1/embeddings", ["rgb": picture(2)]) }
            }
            // Their bodies have come, and their images wait for the only thread.
            while try await server.metric("triptych_requests_in_flight") < 5 {
                try await Task.sleep(for: .milliseconds(5))
            }
            try await Task.sleep(for: .milliseconds(300))
            for client in leaving { client.cancel() }
            // All that is in flight: the first, and the question.
            while try await server.metric("triptych_requests_in_flight") > 2 {
                try await Task.sleep(for: .milliseconds(5))
            }
            gate.open.signal()
            #expect(try await first.status == 200)
            #expect(try await server.sendForm("/v1/embeddings", ["rgb": picture(3)]).status == 200)
            #expect(gate.prepared.withLock { $0 } == 2)
        }
    }
}

extension TestServer {
    /// The value of a metric without labels.
    func metric(_ name: String) async throws -> Double {
        let text = String(decoding: try await send("GET", "/metrics").data, as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.hasPrefix("\(name) ") }
        return line.flatMap { Double($0.dropFirst(name.count + 1)) } ?? 0
    }
}
