import Foundation
import Imaging
import Inference
import Randomness
import Tensor
import Testing
import Training

/// loop.json is PyTorch's and Pillow's word (Fixtures/make_loop.py).
@Suite("The training loop's options")
struct LoopTests {
    private struct Golden: Decodable {
        struct Run: Decodable {
            let name: String
            let decay: Float
            let grouped: Bool
            let clip: Float?
            let rates: [Float]
            let start: [String: [Float]]
            let gradients: [[String: [Float]]]
            let after: [[String: [Float]]]
        }

        struct Factors: Decodable {
            let name: String
            let factors: [Float]
        }

        struct Colours: Decodable {
            struct Jitter: Decodable {
                let factors: [Float]
                let pixels: [UInt8]
            }

            let pixels: [UInt8]
            let jitters: [Jitter]
            let grey: [UInt8]
            let crop: [UInt8]
            let vertical: [UInt8]
            let part: [UInt8]
            let luma: [UInt8]
        }

        let shapes: [String: [Int]]
        let runs: [Run]
        let schedules: [Factors]
        let colours: Colours
    }

    private func optimizer(_ name: String, decay: Float) -> any Optimizer {
        let options: OptimizerOptions =
            switch name {
            case "adamw": .adamW(AdamW.Options(weightDecay: decay))
            case "adam":
                .adamW(AdamW.Options(weightDecay: decay, betas: (0.8, 0.95), epsilon: 1e-6, isDecoupled: false))
            default: .sgd(SGD.Options(weightDecay: decay, isNesterov: name == "nesterov"))
            }
        return options.makeOptimizer()
    }

    @Test(
        "twenty steps of each optimiser are PyTorch's, with groups of weights and clipped gradients",
        arguments: ["adamw", "adam", "sgd", "nesterov"])
    func optimisers(name: String) throws {
        let golden = try Fixture.json("loop.json", as: Golden.self)
        let run = try #require(golden.runs.first { $0.name == name })
        func tensors(_ values: [String: [Float]]) -> [String: Tensor] {
            Dictionary(
                uniqueKeysWithValues: values.map { path, scalars in
                    (path, Tensor(scalars, shape: Shape(golden.shapes[path] ?? [])))
                })
        }
        let groups = [
            ParameterGroup(["*.bias"], rate: 2), ParameterGroup(["*.norm.*"], decay: 0),
            ParameterGroup(["backbone."], rate: 0.1),
        ]
        var weights = Weights(tensors(run.start))
        var current = optimizer(name, decay: run.decay)
        for (step, values) in run.gradients.enumerated() {
            var gradients = tensors(values)
            if let clip = run.clip { gradients = gradients.clipped(toNorm: clip) }
            // What it has gathered moves to another one on the way.
            var next = optimizer(name, decay: run.decay)
            next.memory = current.memory
            current = next
            current.step(
                &weights, gradients: gradients, learningRate: run.rates[step], groups: run.grouped ? groups : [])
            for (path, expected) in run.after[step] {
                #expect(relativeError(try #require(weights[path]).scalars, expected) < 1e-5, "\(path), step \(step)")
            }
        }
    }

    @Test("schedules are PyTorch's")
    func schedules() throws {
        let golden = try Fixture.json("loop.json", as: Golden.self)
        let schedules: [String: Schedule] = [
            "cosine": Schedule(decay: .cosine, minimum: 0.05),
            "step": Schedule(decay: .step, milestones: [10, 25], gamma: 0.1),
            "polynomial": Schedule(decay: .polynomial, power: 0.9), "linear": Schedule(decay: .linear, minimum: 0.2),
            "warm": Schedule(decay: .cosine, warmup: 5, warmupStart: 0.1),
            "square_root": Schedule(decay: .squareRoot, warmup: 5),
        ]
        for expected in golden.schedules {
            let schedule = try #require(schedules[expected.name])
            let found = (0..<40).map { schedule.factor(step: $0, of: 40) }
            #expect(relativeError(found, expected.factors) < 1e-6, "\(expected.name)")
        }
        #expect(golden.schedules.count == schedules.count)
    }

    @Test("brightness, contrast, saturation, grey rectangles and padded crops are Pillow's and numpy's")
    func colours() throws {
        let colours = try Fixture.json("loop.json", as: Golden.self).colours
        let image = Image(width: 7, height: 6, channels: 3, pixels: colours.pixels)
        let plain = Augmentation.Draw(flip: false, erase: nil, shift: [0, 0])
        let pixels = { (draw: Augmentation.Draw) in Augmentation.apply(draw, to: image, fill: [0, 0, 0]).pixels }
        for jitter in colours.jitters {
            var draw = plain
            draw.jitter = jitter.factors
            #expect(pixels(draw) == jitter.pixels, "\(jitter.factors)")
        }
        var (vertical, part, luma) = (plain, plain, plain)
        vertical.vertical = true
        #expect(pixels(vertical) == colours.vertical)
        part.part = [1, 2, 4, 4]
        #expect(pixels(part) == colours.part)
        luma.channel = 3
        #expect(pixels(luma) == colours.luma)
        var (grey, crop, channel, erased) = (plain, plain, plain, plain)
        grey.grey = [2, 1, 4, 3]
        #expect(pixels(grey) == colours.grey)
        crop.crop = [-1, 2]
        #expect(pixels(crop) == colours.crop)
        channel.channel = 1
        #expect(pixels(channel) == (0..<42).flatMap { [UInt8](repeating: image.pixels[$0 * 3 + 1], count: 3) })
        (erased.erase, erased.level) = ([0, 0, 1, 1], 200)
        #expect(pixels(erased) == [200, 200, 200] + image.pixels.dropFirst(3))
    }

    @Test("what is drawn has the shares and ranges that were asked for")
    func draws() {
        let augmentation = Augmentation(
            flip: 0.5, erasing: .init(0.3, fill: .noise, area: 0.1...0.2), pad: 5, jitter: [0.4, 0, 2], grey: 0.2,
            channel: 0.6)
        let count = 4000
        let draws = (0..<count).map { step in
            var generator = SplitMix64(seed: 1, stream: 4, UInt64(step))
            return augmentation.draw(width: 64, height: 32, &generator)
        }
        func share(_ expected: Double, _ isIncluded: (Augmentation.Draw) -> Bool) -> Bool {
            abs(Double(draws.count(where: isIncluded)) / Double(count) - expected) < 0.03
        }
        #expect(share(0.5, \.flip))
        #expect(share(0.3) { $0.erase != nil && $0.noise != nil })
        #expect(share(0.2) { $0.grey != nil } && share(0.6) { $0.channel != nil } && share(0.2) { $0.channel == 2 })
        #expect(share(1 / 11) { $0.crop?[0] == -5 } && share(1 / 11) { $0.crop?[1] == 5 })
        #expect(share(0.5) { $0.jitter?[0] ?? 0 > 1 } && draws.allSatisfy { $0.jitter?[1] == 1 })
        #expect(draws.allSatisfy { (0.6...1.4).contains($0.jitter?[0] ?? 0) && (0...3).contains($0.jitter?[2] ?? -1) })
        let areas = draws.compactMap(\.erase).map { Double($0[2] * $0[3]) / (64 * 32) }
        #expect(areas.allSatisfy { $0 > 0.06 && $0 <= 0.2 })
    }

    @Test(
        "parts, brightness among the channels and vertical flips are drawn as asked, and leave other draws as they were"
    )
    func views() throws {
        let recipe = { (augment: String) in
            let text = try String(contentsOf: Fixture.url("replay/recipe.yaml"), encoding: .utf8)
            return try Recipe(yaml: text, settings: ["augment=\(augment)"]).augmentation
        }
        let draw = { (augmentation: Augmentation, step: Int) in
            var generator = SplitMix64(seed: 1, stream: 4, UInt64(step))
            return augmentation.draw(width: 64, height: 32, &generator)
        }
        let augmentation = try recipe(
            "{flip_vertical: 0.25, part: {probability: 0.5, area: [0.2, 0.4]}, channel: {probability: 1, grey: true}}")
        let draws = (0..<4000).map { draw(augmentation, $0) }
        let share = { (isIncluded: (Augmentation.Draw) -> Bool) in Double(draws.count(where: isIncluded)) / 4000 }
        #expect(abs(share { $0.vertical == true } - 0.25) < 0.03 && abs(share { $0.part != nil } - 0.5) < 0.03)
        #expect((0..<4).allSatisfy { channel in abs(share { $0.channel == channel } - 0.25) < 0.03 })
        for part in draws.compactMap(\.part) {
            let area = Double(part[2] * part[3]) / (64 * 32)
            #expect(area > 0.15 && area <= 0.4)
            // Whole pixels make of 0.75 to 1.33 a little less or more.
            let aspect = Double(part[2]) / Double(part[3]) / 2
            #expect((0.68...1.45).contains(aspect), "\(part)")
            #expect(part[0] + part[2] <= 64 && part[1] + part[3] <= 32)
        }
        let (plain, without) = (try recipe("{}"), try recipe("{flip_vertical: 0, channel: 0}"))
        #expect((0..<50).allSatisfy { draw(plain, $0) == draw(without, $0) })
    }

    @Test("noise is standard normal, where it was erased, another for each modality, and the same whenever it is made")
    func noise() {
        var draw = Augmentation.Draw(flip: false, erase: [10, 5, 40, 30], shift: [0, 0])
        draw.noise = 77
        let plain = Augmentation.Draw(flip: false, erase: [10, 5, 40, 30], shift: [0, 0])
        let images = Tensor([Float](repeating: 9, count: 2 * 48 * 64 * 3), shape: [2, 48, 64, 3])
        let noisy = Augmentation.addNoise([plain, draw], to: images, .rgb).scalars
        #expect(noisy[..<(48 * 64 * 3)].allSatisfy { $0 == 9 })
        let values = noisy.filter { $0 != 9 }
        #expect(values.count == 40 * 30 * 3)
        let mean = values.reduce(0, +) / Float(values.count)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(values.count)
        #expect(abs(mean) < 0.06 && abs(variance - 1) < 0.1)
        #expect(noisy[(48 * 64 + 5 * 64 + 9) * 3 + 2] == 9 && noisy[(48 * 64 + 5 * 64 + 10) * 3] != 9)
        #expect(Augmentation.addNoise([plain, draw], to: images, .rgb).scalars == noisy)
        #expect(Augmentation.addNoise([plain, draw], to: images, .tir).scalars != noisy)
    }

    @Test("patterns mean beginnings, or whole paths with stars")
    func patterns() {
        let cases = [
            ("backbone.", "backbone.norm.weight", true), ("backbone.", "my.backbone.norm", false),
            ("*.bias", "a.b.bias", true), ("*.bias", "a.bias.c", false), ("a*c*e", "abcde", true),
            ("a*c*e", "abde", false), ("ab*ba", "aba", false), ("*norm*", "x.norm1.weight", true), ("*", "", true),
            ("a*b*b", "ab", false), ("a*b*b", "axbxb", true),
        ]
        for (pattern, path, expected) in cases {
            #expect(PathPattern(pattern).matches(path) == expected, "\(pattern) of \(path)")
        }
    }
}
