import Documents
import Foundation
import Gallery
import Inference
import Serving
import ServingFixtures
import Tensor
import Testing
import Threads
import Training

@Suite("The models' folder")
struct ModelCatalogTests {
    private func configuration(_ world: World) -> ServingConfiguration {
        var configuration = ServingConfiguration()
        configuration.database = world.folder.appendingPathComponent("other.sqlite").path
        configuration.modelsFolder = world.models.path
        return configuration
    }

    private func opened(_ configuration: ServingConfiguration) async throws -> ServingStack {
        try await ServingStack.opened(configuration, GalleryConfiguration(), logger: World.logger)
    }

    @Test("a start finds the active model though its file was copied, touched or renamed, and though nobody noted it")
    func restored() async throws {
        try await World.run { world in
            var configuration = configuration(world)
            let file = try await TinyModel.file(seed: 1)
            configuration.checkpoint = world.folder.appendingPathComponent("first.safetensors").path
            try file.data.write(to: URL(fileURLWithPath: configuration.checkpoint))
            try await opened(configuration).gallery.close()
            configuration.checkpoint = ""
            let own = world.models.appendingPathComponent("\(file.model).safetensors")
            let other = world.models.appendingPathComponent("from-the-backup.safetensors")
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: own.path)
            for step in 0..<3 {
                let stack = try await opened(configuration)
                #expect(stack.registry.active.model == file.model, "step \(step)")
                try await stack.catalog.scan()
                #expect(try stack.catalog.summary(file.model).isSelfTested)
                if step == 1 { try await stack.gallery.ledger.forgetCheckpoint(file: other.lastPathComponent) }
                try await stack.gallery.close()
                if step == 0 { try FileManager.default.moveItem(at: own, to: other) }
            }
        }
    }

    @Test("a float32 model is computed in bfloat16 where the configuration says so, under its own name")
    func computedInBFloat16() async throws {
        try await World.run { world in
            var configuration = configuration(world)
            let file = try await TinyModel.file(seed: 1)
            configuration.checkpoint = world.folder.appendingPathComponent("first.safetensors").path
            try file.data.write(to: URL(fileURLWithPath: configuration.checkpoint))
            configuration.precision = .bfloat16
            let stack = try await opened(configuration)
            let encoder = try #require(stack.registry.active as? MultimodalEncoder)
            #expect(encoder.model == file.model && encoder.precision == .bfloat16)
            #expect(try stack.catalog.summary(file.model).precision == .float32)
            #expect(try stack.catalog.summary(file.model).isSelfTested)
            try await stack.gallery.close()
        }
    }

    @Test("a folder that cannot be listed forgets no model")
    func unreadable() async throws {
        try await World.run { world in
            let model = try await world.publish(seed: 1)
            let aside = world.folder.appendingPathComponent("aside")
            try FileManager.default.moveItem(at: world.models, to: aside)
            await #expect(throws: ModelError.self) { try await world.stack.catalog.scan() }
            #expect(try world.stack.catalog.summary(model).model == model)
            try FileManager.default.moveItem(at: aside, to: world.models)
            try await world.stack.catalog.scan()
            #expect(try await world.stack.catalog.encoder(model).model == model)
        }
    }

    @Test("a file that was touched is not read anew as another model, one that was changed is")
    func changed() async throws {
        try await World.run { world in
            let (first, second) = (try await TinyModel.file(seed: 1), try await TinyModel.file(seed: 2))
            let file = world.models.appendingPathComponent("mine.safetensors")
            for found in [first, first, second] {
                try found.data.write(to: file)
                try await world.stack.catalog.scan()
                #expect(try world.stack.catalog.page(limit: 10, after: nil).items.map(\.model) == [found.model])
            }
            try FileManager.default.removeItem(at: file)
            try await world.stack.catalog.scan()
            #expect(try world.stack.catalog.page(limit: 10, after: nil).items.isEmpty)
        }
    }

    @Test("a file for which memory is short leaves the buffers of requests alone, and may pass later")
    func memory() async throws {
        try await World.run({ $0.memoryBytes = 1 << 20 }) { world in
            let file = world.models.appendingPathComponent("mine.safetensors")
            try await TinyModel.file(seed: 1).data.write(to: file)
            do { _ = Tensor.zeros([1 << 20]) }
            let kept = BufferPool.shared.statistics.retained
            for _ in 0..<3 { try await world.stack.catalog.scan() }
            #expect(kept >= 4 << 20 && BufferPool.shared.statistics.retained >= 4 << 20)
            #expect(try world.stack.catalog.page(limit: 10, after: nil).items.isEmpty)
        }
    }

    @Test("what would take too long to compute is refused by its header, before it is built")
    func cost() async throws {
        try await World.run({ $0.models.multiplyAdds = 1000 }) { world in
            let error = await #expect(throws: ModelError.self) { try await world.publish(seed: 1) }
            #expect(error?.description.contains("expected at most 1000 multiply-adds") == true)
        }
    }

    @Test("a model whose embeddings are not finite, or zero, is refused")
    func outputs() async throws {
        try await World.run { world in
            for (value, name) in [(Float.greatestFiniteMagnitude, "infinite"), (0, "zero")] {
                let configuration = TinyModel.configuration
                let weights = try WeightInitialization.weights(for: configuration, seed: 1)
                let path = world.folder.appendingPathComponent(name).path
                let extreme = Weights(
                    Dictionary(
                        uniqueKeysWithValues: weights.tensors.map { path, tensor in
                            (path, Tensor([Float](repeating: value, count: tensor.count), shape: tensor.shape))
                        }))
                try Checkpoint.save(configuration: configuration, weights: extreme, to: path)
                let data = try Data(contentsOf: URL(fileURLWithPath: path))
                let error = await #expect(throws: ModelError.self, "\(name)") { try await world.publish(data) }
                #expect(
                    error?.description.contains("expected finite numbers, not all zero") == true,
                    "\(name): \(error.map { "\($0)" } ?? "")")
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: world.models.path).isEmpty)
        }
    }
}
