import Foundation
import Imaging
import Inference
import Randomness
import Testing
import Training

@Suite("Layouts of data sets whose modalities were never seen together")
struct CrossModalLayoutTests {
    /// Four identities, the last two the test's; twelve images by each of four cameras, as SYSU-MM01 names them.
    private func sysu() throws -> Tree {
        let tree = try Tree()
        try tree.write("exp/train_id.txt", "1\n")
        try tree.write("exp/val_id.txt", "334\n")
        try tree.write("exp/test_id.txt", "6,10\n\n")
        for (camera, identities) in [(1, [1, 6, 10]), (2, [6, 10]), (3, [1, 334, 6, 10]), (5, [6, 334]), (6, [10])] {
            for identity in identities {
                for n in 1...12 { try tree.add("cam\(camera)/\(String(format: "%04d/%04d", identity, n)).jpg") }
            }
        }
        return tree
    }

    @Test("SYSU-MM01: cameras 3 and 6 are near infrared, training takes both lists that are not the test's")
    func sysuSplits() throws {
        let tree = try sysu()
        let dataset = try tree.dataset()
        #expect(dataset.layout.name == "sysu-mm01")
        let train = try dataset.sightings(.train)
        #expect(Set(train.map { "\($0.identity) \($0.camera)" }) == ["0001 1", "0001 3", "0334 3", "0334 5"])
        #expect(train.allSatisfy { $0.files.keys.first == ([3, 6].contains($0.camera) ? .nir : .rgb) })
        #expect(
            Set(try dataset.sightings(.query).map { "\($0.identity) \($0.camera)" }) == ["0006 3", "0010 3", "0010 6"])
        #expect(try dataset.sightings(.gallery).count == 5 * 12)
    }

    @Test("SYSU-MM01: all and indoor search with one and ten shots, ten galleries each, drawn as Python draws them")
    func sysuTasks() throws {
        let tree = try sysu()
        let tasks = try tree.dataset().tasks()
        #expect(tasks.map(\.name).map { $0.hasPrefix("nir to rgb, ") } == [true, true, true, true])
        #expect(tasks.map { $0.galleries.count } == [10, 10, 10, 10])
        #expect(tasks.map { $0.galleries[0].count } == [5, 50, 4, 40])
        #expect(tasks.allSatisfy { $0.isDeduplicated && $0.isCrossModal && $0.rule == .sysu })
        #expect(tasks[2].galleries.allSatisfy { $0.allSatisfy { [1, 2].contains($0.camera) } })
        // random.seed(3); identities in order, their cameras in order.
        var generator = MersenneTwister(seed: 3)
        let expected = [(6, 1), (6, 2), (6, 5), (10, 1), (10, 2)].map { identity, camera in
            "cam\(camera)/\(String(format: "%04d/%04d", identity, generator.index(below: 12) + 1))"
        }
        #expect(tasks[0].galleries[3].map(\.name) == expected)
        #expect(Set(tasks[0].galleries.map { $0.map(\.name) }).count > 1)
    }

    @Test("SYSU-MM01: a mixed gallery has one image of each identity, camera and modality, and is searched with either")
    func sysuMixed() throws {
        let tree = try sysu()
        let dataset = try tree.dataset()
        let tasks = try dataset.mixedTasks()
        #expect(tasks.map(\.name) == ["nir to nir and rgb, 1 shot", "rgb to nir and rgb, 1 shot"])
        #expect(tasks.map(\.queries.count) == [3 * 12, 5 * 12] && tasks.allSatisfy { !$0.isDeduplicated })
        for task in tasks {
            #expect(task.galleries.map(\.count) == [Int](repeating: 8, count: 10))
            #expect(Set(task.galleries[0].map { "\($0.identity) \($0.camera)" }).count == 8)
        }
        // The visible images are those that the benchmark itself draws.
        let own = try dataset.tasks()[0].galleries.map { $0.map(\.name) }
        #expect(tasks[0].galleries.map { $0.suffix(5).map(\.name) } == own)
    }

    /// Two of the ten trials, whose lists exchange who is learned from.
    private func regdbTree() throws -> Tree {
        let tree = try Tree()
        let lines = { (kind: String, letter: String, identities: [Int]) in
            identities.enumerated().flatMap { label, identity in
                (0..<2).map { "\(kind)/\(identity)/female_back_\(letter)_0110\($0)_\(identity).bmp \(label)\n" }
            }
        }
        for (trial, train, test) in [(1, [285, 387], [88, 212]), (2, [88, 212], [285, 387])] {
            for (part, identities) in [("train", train), ("test", test)] {
                for (kind, letter) in [("Visible", "v"), ("Thermal", "t")] {
                    let lines = lines(kind, letter, identities)
                    try tree.write("idx/\(part)_\(kind.lowercased())_\(trial).txt", lines.joined())
                    for line in lines where trial == 1 { try tree.add(String(line.split(separator: " ")[0])) }
                }
            }
        }
        return tree
    }

    @Test("RegDB: the lists of a trial, bitmaps, both directions, everything ranked")
    func regdb() throws {
        let tree = try regdbTree()
        let dataset = try tree.dataset()
        #expect(dataset.layout.name == "regdb")
        let train = try dataset.sightings(.train)
        #expect(train.count == 8 && Set(train.map(\.identity)) == ["0", "1"])
        let tasks = try dataset.tasks()
        #expect(tasks.map(\.name) == ["rgb to tir", "tir to rgb"])
        #expect(
            tasks.allSatisfy { $0.queries.count == 4 && $0.galleries.map(\.count) == [4] && $0.rule == .everything })
        #expect(tasks.map { $0.queries[0].files.keys.first } == [.rgb, .tir])
        let mixed = try dataset.mixedTasks()
        #expect(mixed.map(\.name) == ["rgb to rgb and tir", "tir to rgb and tir"])
        #expect(mixed.allSatisfy { $0.queries.count == 4 && $0.galleries.map(\.count) == [8] })
        let second = try tree.dataset(trial: 2).sightings(.query)
        #expect(second.map(\.name).first == "Visible/285/female_back_v_01100_285")
        #expect(throws: DatasetError.self) { try tree.dataset("regdb", trial: 11) }
        // Labels count from 0 in each list: they are no identities that train and test could share.
        #expect(DatasetCheck(dataset).problems.isEmpty)
        let image = try #require(second.first?.files[.rgb]).image()
        #expect(image.width == 8 && image.height == 16 && image.pixels[3] == image.pixels[0] &+ 21)
    }

    @Test("a run says which of RegDB's trials it learned from, and with how many threads")
    func trial() throws {
        let tree = try regdbTree()
        let recipe = try Recipe(
            yaml: """
                model:
                  system: mixer
                  modalities: [rgb, tir]
                  backbone: {kind: vit, width: 16, depth: 2, heads: 2, patch: 8}
                  input:
                    height: 16
                    width: 8
                    mean: {rgb: [0.5, 0.5, 0.5], tir: [0.5, 0.5, 0.5]}
                    std: {rgb: [0.5, 0.5, 0.5], tir: [0.5, 0.5, 0.5]}
                batch: {identities: 2, sightings: 2}
                validation: {identities: 0, every: 0}
                stages: [{steps: 1, learning_rate: 0.001}]
                """)
        let run = tree.url("run")
        try Trainer(recipe: recipe, dataset: tree.dataset("regdb", trial: 2), output: run, seed: 1).run { _ in }
        let description = try RunDescription(run: run)
        #expect(description.trial == 2 && description.layout == "regdb" && description.threads ?? 0 > 0)
        let names = try String(contentsOf: run.appendingPathComponent("data.txt"), encoding: .utf8)
        #expect(names.contains("Visible/88/") && !names.contains("Visible/285/"))
    }

    @Test("LLCM: training by lists, testing by folders, one image of each identity and camera a trial")
    func llcm() throws {
        let tree = try Tree()
        let (visible, infrared) = (
            "vis/0250/0250_c03_s200519_f13770_vis.jpg", "nir/0250/0250_c06_s195701_f13335_nir.jpg"
        )
        try tree.add(visible)
        try tree.add(infrared)
        try tree.write("idx/train_vis.txt", "\(visible) 0\n")
        try tree.write("idx/train_nir.txt", "\(infrared) 0\n")
        try tree.write("idx/test_id.txt", "0891,0351")
        for (kind, camera) in [("vis", 1), ("vis", 5), ("nir", 1), ("nir", 9)] {
            for identity in ["0891", "0351"] {
                for n in 1...3 { try tree.add("test_\(kind)/cam\(camera)/\(identity)/\(identity)_f20\(n)_\(kind).jpg") }
            }
        }
        let dataset = try tree.dataset()
        #expect(dataset.layout.name == "llcm")
        #expect(try dataset.sightings(.train).map { "\($0.identity) \($0.camera)" } == ["0250 6", "0250 3"])
        let tasks = try dataset.tasks()
        #expect(tasks.map(\.name) == ["nir to rgb", "rgb to nir"])
        #expect(tasks.allSatisfy { $0.isDeduplicated && $0.queries.count == 12 && $0.rule == .standard })
        #expect(tasks.allSatisfy { $0.galleries.map(\.count) == [Int](repeating: 4, count: 10) })
        let mixed = try dataset.mixedTasks()
        #expect(
            mixed.allSatisfy { $0.queries.count == 12 && $0.galleries.map(\.count) == [Int](repeating: 8, count: 10) })
    }

    @Test("what is wrong with a list is said with its line")
    func badLists() throws {
        let tree = try sysu()
        try tree.write("exp/test_id.txt", "6,x,10\n")
        let ids = try #require(throws: DatasetError.self) { try tree.dataset().sightings(.query) }
        #expect("\(ids)".contains("test_id.txt, line 1: expected identities as numbers") && "\(ids)".contains("'x'"))
        let lists = try Tree()
        try lists.write("idx/train_visible_1.txt", "Visible/285/a.bmp 0\n\nVisible/285/b.bmp\n")
        let line = try #require(throws: DatasetError.self) { try lists.dataset().sightings(.train) }
        #expect("\(line)".contains("line 3: expected '<path> <label>', the label a number, found 'Visible/285/b.bmp'"))
        try lists.write("idx/train_visible_1.txt", "Visible/285/a.bmp 0\n")
        try lists.write("idx/train_thermal_1.txt", "")
        let absent = try #require(throws: DatasetError.self) { try lists.dataset().sightings(.train) }
        #expect("\(absent)".contains("Visible/285/a.bmp: expected a file, as train_visible_1.txt lists it, found none"))
    }

    @Test("a model learns from pairs of an identity: every image of its commoner modality once, the others again")
    func pairs() throws {
        let tree = try sysu()
        let dataset = try tree.dataset()
        let pairs = try dataset.trainingSightings([.rgb, .nir])
        #expect(pairs.count == 24 && pairs.allSatisfy { $0.files.count == 2 })
        #expect(Set(pairs.map { $0.files[.rgb] }).count == 24)
        #expect(pairs[0].name == "cam1/0001/0001+cam3/0001/0001")
        #expect(try dataset.trainingSightings([.nir]).count == dataset.sightings(.train).count)
    }
}
