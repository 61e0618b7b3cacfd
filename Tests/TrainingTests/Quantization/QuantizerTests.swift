import Foundation
import Inference
import Tensor
import Testing
import Training

@Suite("Quantising runs", .serialized)
struct QuantizerTests {
    private let folder = Fixture.scratch()

    /// The replay's training images as query and gallery splits.
    private func dataset() throws -> TriplesDataset {
        let root = folder.appendingPathComponent("data")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        for split in ["train", "query", "gallery"] {
            try FileManager.default.copyItem(
                at: Fixture.url("replay/data/train"), to: root.appendingPathComponent(split))
        }
        return try TriplesDataset(root: root)
    }

    /// A model as training begins with it, and its path.
    private func parent(_ settings: [String] = []) throws -> String {
        let text = try String(contentsOf: Fixture.url("replay/recipe.yaml"), encoding: .utf8)
        let settings = settings + ["stages.0.steps=1", "stages.1.steps=1"]
        let recipe = try Recipe(yaml: text, settings: settings)
        return try Trainer(
            recipe: recipe, dataset: TriplesDataset(root: Fixture.url("replay/data")),
            output: folder.appendingPathComponent("parent"), seed: 5
        ).run { _ in }.path
    }

    private func quantized(
        _ plan: QuantizationPlan, _ parent: String, on dataset: TriplesDataset?,
        report: (Quantizer.Event) -> Void = { _ in }
    ) throws -> Quantizer.Outcome {
        let output = folder.appendingPathComponent("narrow-\(UUID().uuidString)")
        return try Quantizer(plan: plan, parentPath: parent, dataset: dataset, output: output).run(report: report)
    }

    @Test(
        "a model becomes narrow, smaller, says where it comes from, and is near its parent",
        arguments: [Precision.int8, .bfloat16])
    func run(precision: Precision) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let parent = try parent()
        var few = 0
        let outcome = try quantized(QuantizationPlan(precision: precision), parent, on: dataset()) { event in
            if case .fewSightings(let found, 32) = event { few = found }
        }
        #expect(few > 0 && few < 32)
        let (before, after) = (try Checkpoint.load(path: parent), try Checkpoint.load(path: outcome.path))
        let paths = try before.configuration.narrowableWeights(in: before.weights)
        #expect(Set(after.weights.formats.keys) == Set(paths) && after.weights.precision == precision)
        let isBalanced = after.configuration.quantization?["balanced"] != nil
        for path in before.weights.paths where !paths.contains(path) && !(isBalanced && path.contains(".norm")) {
            #expect(after.weights[path]?.scalars == before.weights[path]?.scalars, "\(path)")
        }
        #expect(outcome.models.map(\.label) == [nil, precision.rawValue] && outcome.digest == after.digest)
        #expect(outcome.models[1].fileBytes < outcome.models[0].fileBytes)
        #expect(outcome.models[1].size.memoryBytes < outcome.models[0].size.memoryBytes)
        let said = try #require(after.configuration.quantization)
        #expect(said["parent"]?.string == before.digest && said["plan"]?.string == precision.rawValue)
        let space = try #require(EmbeddingSpace(pruning: said))
        #expect(space.meanCosine > (precision == .int8 ? 0.995 : 0.9999) && space.split == "query")
        let encoder = try MultimodalEncoder(
            configuration: after.configuration, weights: after.weights, model: after.digest)
        #expect(try SelfTest.check(encoder) == 0 || SelfTest.check(encoder) ?? 1 < 1e-4)
        for file in ["figures.json", "figures.txt", "figures.svg"] {
            let path = URL(fileURLWithPath: outcome.path).deletingLastPathComponent().appendingPathComponent(file)
            #expect(FileManager.default.fileExists(atPath: path.path), "\(file)")
        }
    }

    @Test("a budget keeps the layers wider that cost most, and one that cannot be kept is refused")
    func budget() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let (parent, dataset) = (try parent(), try dataset())
        var distances: [Double] = []
        let plan = try QuantizationPlan(precision: .int8, calibration: 4)
        _ = try quantized(plan, parent, on: dataset) { event in
            if case .loss(let distance, .cosine, _) = event { distances.append(distance) }
        }
        let narrow = try #require(distances.first)
        var costs: [String: Double] = [:]
        var bounded = plan
        bounded.budget = narrow * 0.7
        let outcome = try quantized(bounded, parent, on: dataset) { event in
            if case .layer(let path, let distance, _, _) = event { costs[path] = distance }
            if case .loss(let distance, .cosine, _) = event { distances.append(distance) }
        }
        #expect(try #require(distances.last) <= narrow * 0.7)
        let most = costs.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
        #expect(!outcome.wider.isEmpty && outcome.wider.first == most && outcome.wider.count < costs.count)
        let child = try Checkpoint.load(path: outcome.path)
        for path in outcome.wider { #expect(child.weights.formats[path] == .bfloat16) }
        #expect(child.configuration.quantization?["wider"]?.array?.count == outcome.wider.count)
        bounded.budget = 1e-12
        #expect {
            _ = try quantized(bounded, parent, on: dataset)
        } throws: { error in
            if case QuantizationError.budgetExceeded = error { true } else { false }
        }
    }

    @Test("balanced channels leave a model as it is in float32, and nearer to it in int8 where few channels are large")
    func balance() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let checkpoint = try Checkpoint.load(path: parent())
        let paths = try checkpoint.configuration.narrowableWeights(in: checkpoint.weights)
        // What one channel of each norm gains its layer's weights lose.
        var weights = checkpoint.weights
        for path in paths where path.hasSuffix("attn.qkv.weight") || path.hasSuffix("mlp.fc1.weight") {
            let norm = path.hasSuffix("qkv.weight") ? "norm1" : "norm2"
            let block = path.split(separator: ".").dropLast(3).joined(separator: ".")
            let weight = try #require(weights[path])
            let factors = (0..<weight.shape[1]).map { Float($0 == 2 ? 50 : 1) }
            let factor = Tensor(factors, shape: [factors.count])
            for name in ["weight", "bias"] {
                let path = "\(block).\(norm).\(name)"
                weights[path] = try #require(weights[path]) * factor
            }
            weights[path] = weight * Tensor(factors.map { 1 / $0 }, shape: factor.shape)
        }
        try Checkpoint.save(
            configuration: checkpoint.configuration, weights: weights,
            to: folder.appendingPathComponent("outliers.safetensors").path)
        var found: (layers: Int, distance: Double, without: Double)?
        let outcome = try quantized(
            QuantizationPlan(precision: .int8), folder.appendingPathComponent("outliers.safetensors").path,
            on: dataset()
        ) { event in
            if case .balanced(let layers, let distance, let without) = event { found = (layers, distance, without) }
        }
        let balance = try #require(found)
        #expect(balance.layers > 0 && balance.layers % 2 == 0 && balance.distance * 2 < balance.without)
        let child = try Checkpoint.load(path: outcome.path)
        #expect(child.configuration.quantization?["balanced"] == .bool(true))
        #expect(outcome.models[1].embeddingSpace.meanCosine > 0.995)
    }

    @Test("a budget of mAP is kept among the identities that training held out, which the model's file tells")
    func heldOut() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let dataset = try dataset()
        let plan = try QuantizationPlan(precision: .int8, budget: 0.9, of: .mAP, calibration: 4)
        let without = try parent(["validation.identities=0"])
        #expect(throws: QuantizationError.nobodyHeldOut) { try quantized(plan, without, on: dataset) }
        try FileManager.default.removeItem(at: folder.appendingPathComponent("parent"))
        let parent = try parent(["validation.identities=0.5", "batch.identities=2"])
        var losses: [Double] = []
        let outcome = try quantized(plan, parent, on: dataset) { event in
            if case .loss(let loss, .mAP, wider: 0) = event { losses.append(loss) }
        }
        #expect(losses.count == 1 && abs(losses[0]) <= 0.9 && outcome.wider.isEmpty)
        let said = try Checkpoint.load(path: outcome.path).configuration.quantization
        #expect(said?["budget_of"]?.string == "mAP" && said?["budget"]?.number == 0.9)
    }

    @Test(
        "a pruned model becomes narrow: what was zero is zero, its zeros are not stored, and it is a checkpoint as any")
    func pruned() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let (path, dataset) = (try parent(), try dataset())
        let recipe = try Recipe(
            yaml: String(contentsOf: Fixture.url("replay/recipe.yaml"), encoding: .utf8), settings: [])
        let plan = try PruningPlan(targets: [0.6], steps: 1)
        let pruned = try Pruner(
            plan: plan, parentPath: path, recipe: recipe, dataset: dataset,
            output: folder.appendingPathComponent("pruned")
        ).run { _ in }
        let before = try Checkpoint.load(path: pruned.path)
        let outcome = try quantized(QuantizationPlan(precision: .int8), pruned.path, on: dataset)
        let after = try Checkpoint.load(path: outcome.path)
        #expect(
            after.configuration.pruning != nil && after.configuration.quantization?["parent"]?.string == before.digest)
        for (path, tensor) in before.weights.tensors {
            let found = try #require(after.weights[path])
            #expect(zip(tensor.scalars, found.scalars).allSatisfy { $0 != 0 || $1 == 0 }, "\(path)")
        }
        #expect(outcome.models[1].fileBytes < outcome.models[0].fileBytes)
        let encoder = try MultimodalEncoder(
            configuration: after.configuration, weights: after.weights, model: after.digest)
        #expect(try SelfTest.check(encoder) ?? 1 < 1e-4)
    }

    @Test("what is fine-tuned stays if it is nearer to its parent; it is the same each time, what was pruned is zero")
    func tuned() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let (path, dataset) = (try parent(), try dataset())
        let recipe = try Recipe(
            yaml: String(contentsOf: Fixture.url("replay/recipe.yaml"), encoding: .utf8), settings: [])
        let pruned = try Pruner(
            plan: PruningPlan(targets: [0.4], steps: 1), parentPath: path, recipe: recipe, dataset: dataset,
            output: folder.appendingPathComponent("pruned")
        ).run { _ in }
        let plan = try QuantizationPlan(precision: .int8, steps: 8)
        var (steps, found): (Int, (distance: Double, without: Double)?) = (0, nil)
        let outcome = try quantized(plan, pruned.path, on: dataset) { event in
            if case .tuning(let step, 8, _) = event { steps = step }
            if case .tuned(let distance, let without) = event { found = (distance, without) }
        }
        let tuned = try #require(found)
        #expect(steps == 8 && tuned.distance != tuned.without)
        let (before, after) = (try Checkpoint.load(path: pruned.path), try Checkpoint.load(path: outcome.path))
        for path in before.packed {
            let pair = zip(try #require(before.weights[path]).scalars, try #require(after.weights[path]).scalars)
            #expect(pair.allSatisfy { $0 != 0 || $1 == 0 }, "\(path)")
        }
        let said = after.configuration.quantization
        #expect(said?["fine_tuning"]?["steps"]?.integer == (tuned.distance < tuned.without ? 8 : nil))
        // The file's digest is another: what was measured is told in it.
        let again = try Checkpoint.load(path: quantized(plan, pruned.path, on: dataset).path)
        #expect(again.weights.paths.allSatisfy { again.weights[$0]?.scalars == after.weights[$0]?.scalars })
    }

    @Test("without data nothing is measured; a budget is refused, and so is a narrow parent")
    func without() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let parent = try parent()
        let outcome = try quantized(QuantizationPlan(precision: .int8), parent, on: nil)
        #expect(outcome.models.isEmpty)
        #expect(throws: QuantizationError.nothingToMeasure) {
            try quantized(QuantizationPlan(precision: .int8, budget: 0.1), parent, on: nil)
        }
        #expect(throws: QuantizationError.nothingToMeasure) {
            try quantized(QuantizationPlan(precision: .int8, steps: 1), parent, on: nil)
        }
        var untold = try Checkpoint.load(path: parent).configuration
        untold.training = nil
        let file = folder.appendingPathComponent("untold.safetensors").path
        try Checkpoint.save(configuration: untold, weights: Checkpoint.load(path: parent).weights, to: file)
        #expect(throws: QuantizationError.noRecipe) {
            try quantized(QuantizationPlan(precision: .int8, steps: 1), file, on: dataset())
        }
        #expect {
            _ = try quantized(QuantizationPlan(precision: .bfloat16), outcome.path, on: nil)
        } throws: { error in
            if case QuantizationError.alreadyNarrow(_, "int8") = error { true } else { false }
        }
    }

    @Test("a ResNet becomes narrow too, but for its first convolution")
    func others() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let recipe = try Recipe(
            yaml: String(contentsOf: Fixture.url("replay/recipe.yaml"), encoding: .utf8), settings: [])
        var configuration = recipe.model
        (configuration.system, configuration.modalities, configuration.identities) = (.unicat, [.rgb], 3)
        configuration.backbone = .resnet(.init(depth: 18, lastStride: 1))
        let weights = try WeightInitialization.weights(for: configuration, seed: 3)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let parent = folder.appendingPathComponent("resnet.safetensors").path
        try Checkpoint.save(configuration: configuration, weights: weights, to: parent)
        let outcome = try quantized(QuantizationPlan(precision: .int8), parent, on: nil)
        let child = try Checkpoint.load(path: outcome.path)
        #expect(child.weights.formats.count == configuration.modalities.count * 19)
        #expect(!child.weights.formats.keys.contains { $0.hasSuffix(".conv1.weight") && !$0.contains("layer") })
        let images = Dictionary(
            uniqueKeysWithValues: configuration.modalities.enumerated().map { index, modality in
                let shape: Shape = [2, configuration.input.height, configuration.input.width, 3]
                return (
                    modality, Tensor((0..<shape.count).map { Float(($0 + index) * 7919 % 256) / 128 - 1 }, shape: shape)
                )
            })
        let embed = { (weights: Weights) in
            try MultimodalEncoder(configuration: configuration, weights: weights, model: "m").embed(batch: images)
        }
        let (exact, found) = (Embedding.normalised(try embed(weights)), Embedding.normalised(try embed(child.weights)))
        for (a, b) in zip(exact, found) { #expect(zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } > 0.995) }
    }

    @Test(
        "plans that make no sense are refused",
        arguments: [("float32", nil, 1), ("int8", 0, 1), ("int8", 1.5, 1), ("int8", Double.nan, 1), ("bf16", nil, 0)]
            as [(String, Double?, Int)])
    func plans(precision: String, budget: Double?, calibration: Int) throws {
        let precision = try #require(Precision(rawValue: precision))
        #expect(throws: QuantizationError.self) {
            try QuantizationPlan(precision: precision, budget: budget, calibration: calibration)
        }
        #expect(throws: QuantizationError.self) { try QuantizationPlan(precision: .int8, steps: -1) }
        #expect(throws: QuantizationError.self) { try QuantizationPlan(precision: .int8, learningRate: .nan) }
    }
}
