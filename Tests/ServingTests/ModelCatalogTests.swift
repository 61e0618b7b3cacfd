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

    /// A configuration whose first model is a tiny one of float32, and its digest.
    private func started(
        _ world: World, in precision: ServingConfiguration.Precision = .float32
    ) async throws -> (ServingConfiguration, digest: String) {
        var configuration = configuration(world)
        let file = try await TinyModel.file(seed: 1)
        configuration.checkpoint = world.folder.appendingPathComponent("first.safetensors").path
        configuration.swap.share = 1
        configuration.precision = precision
        try file.data.write(to: URL(fileURLWithPath: configuration.checkpoint))
        return (configuration, file.model)
    }

    @Test(
        "a float32 model is computed in bfloat16 where the configuration says so, and its vectors are another model's")
    func computedInBFloat16() async throws {
        try await World.run { world in
            let (configuration, digest) = try await started(world, in: .bfloat16)
            let stack = try await opened(configuration)
            let encoder = try #require(stack.registry.active as? MultimodalEncoder)
            let name = MultimodalEncoder.name(digest, computedIn: .bfloat16)
            #expect(encoder.model == name && encoder.precision == .bfloat16 && ModelCatalog.isDigest(name))
            let summary = try #require(stack.catalog.page(limit: 10, after: nil).items.first)
            #expect(summary.model == name && summary.checkpoint == digest && summary.computed == .bfloat16)
            #expect(summary.precision == .float32 && summary.isSelfTested)
            // What is narrow in its file is what its file says.
            let narrow = try await TinyModel.file(seed: 2, precision: .int8)
            let other = World(folder: world.folder, stack: stack)
            #expect(try await other.publish(narrow.data) == narrow.model)
            #expect(try await other.activate(narrow.model).record.state == .succeeded)
            // The file's digest names it too, as this server computes it.
            #expect(try await other.activate(digest).record.state == .succeeded)
            #expect(stack.registry.active.model == name)
            await #expect(throws: ModelError.self) { try await stack.models.delete(digest) }
            try await stack.gallery.close()
        }
    }

    @Test("another precision embeds again, and answers when all is embedded", arguments: [true, false])
    func changedPrecision(keepsImages: Bool) async throws {
        try await World.run { world in
            let (first, digest) = try await started(world)
            var configuration = first
            configuration.keepsImages = keepsImages
            let names = [digest, MultimodalEncoder.name(digest, computedIn: .bfloat16)]
            for (step, precision) in [ServingConfiguration.Precision.float32, .bfloat16, .float32].enumerated() {
                configuration.precision = precision
                let stack = try await opened(configuration)
                let here = World(folder: world.folder, stack: stack)
                #expect(stack.registry.active.model == names[step == 2 ? 1 : 0])
                try await stack.models.resumeJobs()
                let jobs = try await stack.gallery.ledger.jobs(PageRequest(limit: 10, after: nil)).items
                #expect(jobs.map(\.kind) == [String](repeating: JobKind.activation.rawValue, count: step))
                for job in jobs { #expect(try await here.ended(job.id).record.state == .succeeded) }
                #expect(stack.registry.active.model == names[precision == .float32 ? 0 : 1])
                try await here.enrol("car-\(step)", seed: step)
                let vectors = try await stack.gallery.models()
                #expect(vectors.first { $0.model == stack.registry.active.model }?.sightings == step + 1)
                await stack.jobs.stop()
                try await stack.gallery.close()
            }
        }
    }

    @Test("while another precision embeds, the model that answers is listed, and the one that is to, with its job")
    func changingPrecision() async throws {
        try await World.run { world in
            let (first, digest) = try await started(world)
            try await opened(first).gallery.close()
            var configuration = first
            configuration.precision = .bfloat16
            let stack = try await opened(configuration)
            let next = MultimodalEncoder.name(digest, computedIn: .bfloat16)
            func listed() async throws -> [String: ServedModel] {
                let items = try await stack.models.page(limit: 10, after: nil).items
                return Dictionary(uniqueKeysWithValues: items.map { ($0.summary.model, $0) })
            }
            // The jobs of models wait for this one, as long as the test likes.
            let (held, release) = AsyncStream.makeStream(of: Void.self)
            try await stack.jobs.start(JobRecord(kind: JobKind.comparison.rawValue), .comparison) { job in
                for await _ in held {}
                return try await job.finished()
            }
            try await stack.models.resumeJobs()
            let job = try #require(
                await stack.jobs.unfinished.first { $0.kind == .activation }?.status.record.id)
            let before = try await listed()
            #expect(before.mapValues(\.isActive) == [digest: true, next: false])
            #expect(before[digest]?.activation == nil && before[next]?.activation == job)
            #expect(before[digest]?.summary.computed == nil && before[next]?.summary.checkpoint == digest)
            let page = try await stack.models.page(limit: 1, after: nil)
            let rest = try await stack.models.page(limit: 1, after: page.next)
            #expect(Set((page.items + rest.items).map(\.summary.model)) == [digest, next] && rest.next == nil)
            release.finish()
            _ = try await World(folder: world.folder, stack: stack).ended(job)
            let after = try await listed()
            #expect(after.mapValues(\.isActive) == [next: true] && after[next]?.activation == nil)
            await stack.jobs.stop()
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
