import Foundation
import Gallery
import Imaging
import Inference
import Serving
import ServingFixtures
import Synchronization
import Testing
import Training

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

    @Test("a model's range of 16-bit values comes before the server's, which is for models that name none")
    func valueRange() async throws {
        var configuration = TinyModel.configuration
        configuration.input.valueRange = [.tir: 20_000...30_000]
        let weights = try WeightInitialization.weights(for: configuration, seed: 1)
        let encoder = try MultimodalEncoder(configuration: configuration, weights: weights, model: "m")
        let values = (0..<256).map { UInt16(20_000 + 20 * $0) }
        let file = try PNGEncoder.encode(grey: values, width: 16, height: 16)
        let range: ClosedRange<UInt16> = 10_000...60_000
        try await World.run({ $0.encoding.thermalRange = range }, encoder: BrightnessEncoder()) { world in
            for (modality, range) in [(Modality.tir, 20_000...30_000), (.nir, range)] {
                let found = try await world.stack.encoding.encode([modality: SentImage(file)], with: encoder)
                let expected = try await encoder.embed([modality: ImageDecoder(thermalRange: range).decode(file)])
                #expect(found.embedding == expected, "\(modality)")
                let other = try await encoder.embed([modality: ImageDecoder().decode(file)])
                #expect(found.embedding != other)
            }
            #expect(encoder.inBackground.valueRange(.tir) == 20_000...30_000)
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
