import Foundation
import Inference
import Randomness
import Testing

@Suite("Any damage to a checkpoint")
struct SafetensorsRobustnessTests {
    static let names = ["checkpoint.safetensors", "packed.safetensors"]

    @Test("a file cut off at any byte is refused", arguments: names)
    func truncation(name: String) throws {
        let folder = try ScratchFolder()
        let whole = try CheckpointFiles.data(name)
        for count in 0..<whole.count {
            let path = try folder.file(whole.prefix(count))
            #expect(throws: CheckpointError.self, "\(count) bytes") { try Checkpoint.load(path: path) }
        }
    }

    @Test("a byte too many is refused", arguments: names)
    func excess(name: String) throws {
        let folder = try ScratchFolder()
        let path = try folder.file(CheckpointFiles.data(name) + [0])
        #expect(throws: CheckpointError.self) { try Checkpoint.load(path: path) }
    }

    @Test("changed bytes give a typed error or a checkpoint under another digest", arguments: names)
    func flips(name: String) throws {
        let folder = try ScratchFolder()
        let whole = try CheckpointFiles.data(name)
        let digest = try Checkpoint.load(path: CheckpointFiles.path(name)).digest
        var random = SplitMix64(seed: 20)
        var refusals = 0
        for _ in 0..<1500 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            }
            let path = try folder.file(bytes)
            do {
                let checkpoint = try Checkpoint.load(path: path)
                #expect(checkpoint.digest != digest || bytes == whole)
                let isFinite = checkpoint.weights.tensors.values.allSatisfy { $0.isFinite }
                #expect(isFinite)
            } catch {
                #expect(error is CheckpointError, "\(error)")
                refusals += 1
            }
        }
        #expect(refusals > 750)
    }
}
