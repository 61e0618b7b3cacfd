import Documents
import Foundation
import Inference
import Tensor
import Testing

@Suite("Checkpoints")
struct CheckpointTests {
    private let folder: ScratchFolder

    init() throws {
        folder = try ScratchFolder()
    }

    @Test("one saved by Python gives its configuration, weights and other metadata")
    func fromPython() throws {
        let checkpoint = try Checkpoint.load(path: CheckpointFiles.path("checkpoint.safetensors"))
        #expect(checkpoint.metadata == ["note": "kept"])
        #expect(checkpoint.configuration.identities == 5)
        #expect(
            checkpoint.configuration.training
                == .object([
                    "seed": .integer(9_007_199_254_740_993), "epochs": .array([.integer(1), .number(2.5), .null]),
                ]))
        #expect(
            checkpoint.weights.paths == [
                "backbone.norm.running_mean", "backbone.norm.weight", "head.fc1.bias", "head.fc1.weight",
                "head.fc2.weight",
            ])
        #expect(try checkpoint.weights.tensor("head.fc1.weight", shape: [4, 5]).isFinite)
        let path = try CheckpointFiles.path("checkpoint.safetensors")
        #expect(try Checkpoint.configuration(path: path) == checkpoint.configuration)
    }

    @Test("weights packed by Python equal the whole ones")
    func packedByPython() throws {
        let whole = try Checkpoint.load(path: CheckpointFiles.path("checkpoint.safetensors"))
        let packed = try Checkpoint.load(path: CheckpointFiles.path("packed.safetensors"))
        #expect(packed.weights.paths == whole.weights.paths)
        for path in whole.weights.paths {
            #expect(packed.weights[path]?.shape == whole.weights[path]?.shape)
            #expect(bits(packed.weights[path]) == bits(whole.weights[path]))
        }
        #expect(packed.configuration.pruning == .object(["sparsity": .number(0.6)]))
    }

    @Test("what is saved is loaded, packed or not, under the digest that saving returned", arguments: [false, true])
    func roundTrip(isPacked: Bool) throws {
        let weights = CheckpointFiles.weights
        let path = folder.path("file")
        let digest = try Checkpoint.save(
            configuration: CheckpointFiles.configuration, weights: weights, metadata: ["note": "kept"],
            packed: isPacked ? Set(weights.paths) : [], to: path)
        let read = try Checkpoint.load(path: path)
        #expect(read.digest == digest)
        #expect(read.configuration == CheckpointFiles.configuration)
        #expect(read.metadata == ["note": "kept"])
        #expect(read.weights.paths == weights.paths)
        for path in weights.paths {
            #expect(read.weights[path]?.shape == weights[path]?.shape)
            #expect(bits(read.weights[path]) == bits(weights[path]))
        }
    }

    @Test("a packed file holds one bit a weight and the values that are kept")
    func packedSize() throws {
        try Checkpoint.save(
            configuration: CheckpointFiles.configuration, weights: CheckpointFiles.weights,
            packed: ["b.weight", "zeros"], to: folder.path("file"))
        let header = try SafetensorsReader(path: folder.path("file")).header
        let sizes = Dictionary(uniqueKeysWithValues: header.entries.map { ($0.name, $0.range.count) })
        #expect(
            sizes == [
                "a.bias": 8, "scalar": 4, "b.weight.mask": 2, "b.weight.values": 20, "zeros.mask": 1,
                "zeros.values": 0,
            ])
    }

    @Test("loading and saving again gives the same file")
    func stability() throws {
        let first = try Checkpoint.save(
            configuration: CheckpointFiles.configuration, weights: CheckpointFiles.weights, to: folder.path("first"))
        let read = try Checkpoint.load(path: folder.path("first"))
        let second = try Checkpoint.save(
            configuration: read.configuration, weights: read.weights, metadata: read.metadata,
            to: folder.path("second"))
        #expect(first == second)
    }

    @Test("an invalid configuration is not written")
    func invalid() throws {
        var configuration = CheckpointFiles.configuration
        configuration.modalities = []
        #expect(throws: CheckpointError.self) {
            try Checkpoint.save(
                configuration: configuration, weights: CheckpointFiles.weights, to: folder.path("file"))
        }
        #expect(try folder.contents.isEmpty)
    }

    @Test("a file without a configuration, or with a refused one, is refused before its data")
    func refusedConfiguration() throws {
        try SafetensorsWriter.write([:], metadata: ["other": "text"], to: folder.path("none"))
        #expect(throws: CheckpointError(file: folder.path("none"), reason: .missingMetadata(key: "triptych"))) {
            try Checkpoint.load(path: folder.path("none"))
        }
        try SafetensorsWriter.write([:], metadata: ["triptych": #"{"format":3}"#], to: folder.path("later"))
        let error = DocumentError.invalid(field: "format", expected: "1 or 2", found: "3")
        #expect(throws: CheckpointError(file: folder.path("later"), reason: .configuration(error))) {
            try Checkpoint.load(path: folder.path("later"))
        }
    }
}
