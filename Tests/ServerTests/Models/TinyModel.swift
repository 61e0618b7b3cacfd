import Documents
import Foundation
import Inference
import Tensor
import Testing
import Threads
import Training

/// Checkpoints of a very small model with random weights.
enum TinyModel {
    static let configuration = ModelConfiguration(
        system: .unicat, modalities: [.rgb, .nir, .tir],
        backbone: .vit(.init(width: 16, depth: 1, heads: 2, patch: 8)),
        input: .init(
            height: 16, width: 16, mean: [.rgb: [0.5, 0.5, 0.5], .nir: [0.5, 0.5, 0.5], .tir: [0.5, 0.5, 0.5]],
            std: [.rgb: [0.5, 0.5, 0.5], .nir: [0.5, 0.5, 0.5], .tir: [0.5, 0.5, 0.5]]),
        identities: 2)

    /// The bytes of a file, and the model's name.
    ///
    /// - Parameters:
    ///   - seed: of the weights.
    ///   - test: the seed of the weights that answered the self-test.
    ///   - pruning: for the configuration.
    static func file(
        seed: UInt64, test: UInt64? = nil, pruning: JSONValue? = nil
    ) async throws -> (data: Data, model: String) {
        var configuration = configuration
        let tested = try WeightInitialization.weights(for: configuration, seed: test ?? seed)
        configuration = try await ComputeThread.shared.run { [configuration] in
            try SelfTest.recorded(in: configuration, weights: tested)
        }
        configuration.pruning = pruning
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("tiny-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let weights = try WeightInitialization.weights(for: configuration, seed: seed)
        let digest = try Checkpoint.save(configuration: configuration, weights: weights, to: path)
        return (try Data(contentsOf: URL(fileURLWithPath: path)), digest)
    }
}

extension TestServer {
    /// Uploads a checkpoint.
    func upload(_ data: Data) async throws -> Answer {
        try await send("POST", "/v1/models", body: data, type: "application/octet-stream")
    }

    /// Uploads a tiny model and gives its name.
    func publish(seed: UInt64, pruning: JSONValue? = nil) async throws -> String {
        let file = try await TinyModel.file(seed: seed, pruning: pruning)
        #expect(try await upload(file.data).status == 201)
        return file.model
    }

    /// Starts an activation and waits for its end.
    func activate(_ model: String) async throws -> JSONValue {
        let begun = try await send("POST", "/v1/models/\(model)/activation")
        #expect(begun.status == 202)
        return try await ended(try #require(begun.json["id"]?.string))
    }

    /// A job's record once it has ended.
    func ended(_ job: String) async throws -> JSONValue {
        while true {
            let json = try await send("GET", "/v1/jobs/\(job)").json
            if json["state"]?.string != "running" { return json }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// The model that answers.
    var active: String? {
        get async throws { try await send("GET", "/readyz").json["model"]?.string }
    }

    /// Makes the gallery g with some triples.
    func enrol(_ count: Int) async throws {
        _ = try await sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
        for car in 0..<count {
            let triple = try ["rgb": picture(car), "nir": picture(car + 100), "tir": picture(car + 200)]
            let answer = try await sendForm("/v1/galleries/g/identities/car-\(car)/sightings", triple)
            #expect(answer.status == 201)
        }
    }
}
