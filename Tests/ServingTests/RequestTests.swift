import Foundation
import Gallery
import Imaging
import Inference
import Serving
import ServingFixtures
import Synchronization
import Testing

@Suite("Requests without HTTP")
struct RequestTests {
    @Test("a repetition is recognised before it is encoded")
    func repetition() async throws {
        let encoded = Mutex(0)
        let encoder = BrightnessEncoder { encoded.withLock { $0 += 1 } }
        try await World.run(encoder: encoder) { world in
            let first = try await world.enrol("car-1", seed: 1, key: "k")
            let count = encoded.withLock { $0 }
            let second = try await world.enrol("car-1", seed: 1, key: "k")
            #expect(second.isReplay && second.sighting == first.sighting)
            await #expect(throws: GalleryError.idempotencyConflict(key: "k")) {
                try await world.enrol("car-1", seed: 2, key: "k")
            }
            #expect(encoded.withLock { $0 } == count)
        }
    }

    @Test("decoding and texts have a deadline too")
    func deadline() async throws {
        try await World.run({ $0.encoding.seconds = 1 }, encoder: SlowEncoder()) { world in
            let (encoding, encoder) = (world.stack.encoding, world.stack.registry.active)
            await #expect(throws: ServingError.deadline(seconds: 1)) {
                _ = try await encoding.encode([.rgb: SentImage(picture(1))], with: encoder)
            }
            await #expect(throws: ServingError.deadline(seconds: 1)) {
                _ = try await encoding.encode(text: "a car", with: encoder)
            }
        }
    }

    /// Takes three seconds to prepare an image, and for ever to read a text.
    private struct SlowEncoder: TripleEncoder {
        private let encoder = BrightnessEncoder()
        var model: String { encoder.model }
        var modalities: [Modality] { encoder.modalities }
        var dimension: Int { encoder.dimension }
        var combination: Combination { encoder.combination }
        var inputSize: Image.Size { encoder.inputSize }

        func prepared(_ image: Image) -> Image {
            Thread.sleep(forTimeInterval: 3)
            return encoder.prepared(image)
        }

        func embed(_ images: [Modality: Image]) async throws -> Embedding { try await encoder.embed(images) }

        func embed(text: String) async throws -> [Float] {
            try await Task.sleep(for: .seconds(3600))
            return []
        }
    }
}
