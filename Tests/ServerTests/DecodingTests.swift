import Foundation
import Imaging
import Inference
import Server
import Synchronization
import ServingFixtures
import Testing

@Suite("Decoding threads")
struct DecodingTests {
    /// Notes how many images are prepared at the same time. Those that should have company wait for it.
    private struct MeetingEncoder: TripleEncoder {
        struct Count {
            var begun = 0, now = 0, most = 0
        }

        final class Meeting: Sendable {
            let count = Mutex(Count())
            let company = DispatchSemaphore(value: 0)
        }

        let meeting = Meeting()
        var isInBackground = false
        private let encoder = BrightnessEncoder()
        var model: String { encoder.model }
        var modalities: [Modality] { encoder.modalities }
        var dimension: Int { encoder.dimension }
        var combination: Combination { encoder.combination }
        var inputSize: Image.Size { encoder.inputSize }

        init(isInBackground: Bool = false) { self.isInBackground = isInBackground }

        func prepared(_ image: Image) -> Image {
            let arrival = meeting.count.withLock { count in
                count.begun += 1
                count.now += 1
                count.most = max(count.most, count.now)
                return count.begun
            }
            // The second frees the first; without company the test fails, but ends.
            if arrival == 2 { meeting.company.signal() }
            if arrival == 1, !isInBackground { _ = meeting.company.wait(timeout: .now() + 20) }
            defer { meeting.count.withLock { $0.now -= 1 } }
            return encoder.prepared(image)
        }

        func embed(_ images: [Modality: Image]) async throws -> Embedding { try await encoder.embed(images) }
    }

    @Test(
        "a lone triple's images are decoded side by side, two at most; where nobody waits, on half as many threads",
        arguments: [(false, 2), (true, 1)])
    func company(isInBackground: Bool, most: Int) async throws {
        let encoder = MeetingEncoder(isInBackground: isInBackground)
        try await TestServer.run({ $0.threads.decoding = 2 }, encoder: encoder) { server in
            let triple = try ["rgb": picture(1), "nir": picture(2), "tir": picture(3)]
            let answer = try await server.sendForm("/v1/embeddings", triple)
            #expect(answer.status == 200)
            let plain = try await BrightnessEncoder().embed([
                .rgb: ImageDecoder().decode(picture(1)), .nir: ImageDecoder().decode(picture(2)),
                .tir: ImageDecoder().decode(picture(3)),
            ])
            #expect(answer.json["embedding"]?.array?.compactMap(\.number).map(Float.init) == plain.values)
            let count = encoder.meeting.count.withLock { $0 }
            #expect(count.begun == 3 && count.most == most && count.now == 0)
        }
    }

    @Test("of several images that cannot be decoded, the first modality's is named, whichever is found first")
    func firstError() async throws {
        try await TestServer.run { server in
            let (large, bad) = (try picture(1, size: 1500), Data("<svg/>".utf8))
            let cut = large.dropLast(100)
            let cases: [(files: [String: Data], modality: String)] = [
                (["rgb": cut, "nir": bad, "tir": bad], "rgb"), (["rgb": large, "nir": cut, "tir": bad], "nir"),
                (["rgb": bad, "nir": large, "tir": large], "rgb"), (["rgb": large, "nir": large, "tir": bad], "tir"),
            ]
            for _ in 0..<5 {
                for (files, modality) in cases {
                    let answer = try await server.sendForm("/v1/embeddings", files)
                    #expect(answer.problem == "image-undecodable" && answer.json["modality"]?.string == modality)
                }
            }
            #expect(try await server.sendForm("/v1/embeddings", ["rgb": large]).status == 200)
        }
    }

    @Test("scaled decoding finds the same matches, among vectors of whole images too, and keeps the limits")
    func scaled() async throws {
        let encoder = SizesEncoder()
        let configure = { (configuration: inout ServerConfiguration) in
            configuration.scalesDecoding = true
            configuration.limits.imagePixels = 300 * 300
        }
        try await TestServer.run(configure, encoder: encoder) { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            for car in 0..<5 {
                let path = "/v1/galleries/g/identities/car-\(car)/sightings"
                // Too small to be scaled.
                #expect(try await server.sendForm(path, ["rgb": picture(car, size: 8)]).status == 201)
            }
            for car in 0..<5 {
                let answer = try await server.sendForm("/v1/galleries/g/queries", ["rgb": picture(car, size: 256)])
                #expect(answer.json["matches"]?[0]?["identity"]?.string == "car-\(car)")
                #expect(try #require(answer.json["matches"]?[0]?["score"]?.number) > 0.99)
            }
            let large = try await server.sendForm("/v1/embeddings", ["rgb": picture(1, size: 301)])
            #expect(large.status == 422 && large.problem == "image-too-large")
        }
        #expect(encoder.widths == [8, 32])
    }

    @Test("the configuration's key switches it; it is off without")
    func configuration() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        for (yaml, isOn) in [("port: 1", false), ("scale_decoding: true", true), ("scale_decoding: false", false)] {
            try Data(yaml.utf8).write(to: file)
            #expect(try ServerConfiguration(path: file.path).scalesDecoding == isOn)
        }
        try Data("scale_decoding: 2".utf8).write(to: file)
        #expect(throws: ServerError.self) { try ServerConfiguration(path: file.path) }
    }

    /// Notes how wide the images are that it is given.
    private final class SizesEncoder: TripleEncoder {
        private let encoder = BrightnessEncoder()
        private let found = Mutex(Set<Int>())
        var widths: [Int] { found.withLock { $0.sorted() } }
        var model: String { encoder.model }
        var modalities: [Modality] { encoder.modalities }
        var dimension: Int { encoder.dimension }
        var combination: Combination { encoder.combination }
        var inputSize: Image.Size { encoder.inputSize }

        func prepared(_ image: Image) -> Image {
            found.withLock { _ = $0.insert(image.width) }
            return encoder.prepared(image)
        }

        func embed(_ images: [Modality: Image]) async throws -> Embedding { try await encoder.embed(images) }
    }
}
