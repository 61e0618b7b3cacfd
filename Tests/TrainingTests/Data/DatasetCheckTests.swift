import Foundation
import Imaging
import Inference
import Synchronization
import Testing
import Training

@Suite("What is wrong with a data set is named")
struct DatasetCheckTests {
    private static let modalities = ["rgb", "nir", "tir"]

    /// Two identities to learn from, another to test with, each by two cameras.
    private func sound() throws -> Tree {
        let tree = try Tree()
        for name in ["train/0001_c1_001", "train/0001_c2_001", "train/0002_c1_001", "train/0002_c2_001"]
            + ["query/0003_c1_001", "gallery/0003_c2_001"]
        {
            let parts = name.split(separator: "/")
            for modality in Self.modalities { try tree.add("\(parts[0])/\(modality)/\(parts[1]).png") }
        }
        return tree
    }

    @Test("a sound data set is counted, and nothing is wrong")
    func counts() throws {
        let tree = try sound()
        let check = DatasetCheck(try tree.dataset(), decoding: true)
        #expect(check.isUsable && check.problems.isEmpty && check.layout == "triples")
        #expect(check.splits.map(\.split) == ["train", "query", "gallery"])
        #expect(check.splits.map(\.identities) == [2, 1, 1] && check.splits.map(\.cameras) == [2, 1, 1])
        #expect(check.splits.map(\.sightings) == [4, 1, 1])
        #expect(check.splits[0].images == ["rgb": 4, "nir": 4, "tir": 4])
    }

    enum Damage: CaseIterable {
        case noImage, cut, misnamed, unpaired, noFolder, twice, oneIdentity, oneImage, oneCamera, noQueries, overlap
    }

    @Test("what is broken is said, with its file, what was expected and what was found", arguments: Damage.allCases)
    func damage(_ damage: Damage) throws {
        let tree = try sound()
        let (kind, subject, message) = try apply(damage, to: tree)
        let check = DatasetCheck(try tree.dataset(), decoding: damage == .cut)
        #expect(check.problems.map(\.kind) == [kind])
        let problem = try #require(check.problems.first)
        #expect(problem.subject.hasSuffix(subject) && problem.message.contains(message), "\(problem)")
        #expect(check.isUsable == !kind.isError)
    }

    private func apply(_ damage: Damage, to tree: Tree) throws -> (DatasetProblem.Kind, String, String) {
        let files = FileManager.default
        switch damage {
        case .noImage:
            try tree.write("train/nir/0001_c1_001.png", "no image")
            return (.undecodable, "train/nir/0001_c1_001.png", "not a JPEG or PNG image: starts with 6e 6f")
        case .cut:
            let file = tree.url("query/tir/0003_c1_001.png")
            try Data(Data(contentsOf: file).dropLast(40)).write(to: file)
            return (.undecodable, "query/tir/0003_c1_001.png", "truncated PNG image")
        case .misnamed:
            try tree.add("train/rgb/car-7.png")
            return (.misnamed, "train/rgb/car-7.png", "expected a name such as 0007_c2_001.jpg")
        case .unpaired:
            try files.removeItem(at: tree.url("train/tir/0002_c1_001.png"))
            return (.unpaired, "0002_c1_001", "expected tir beside rgb, nir, found none")
        case .noFolder:
            try files.removeItem(at: tree.url("train/nir"))
            return (.missingModality, "train", "expected nir images, as another split has, found none")
        case .oneIdentity:
            for modality in Self.modalities {
                for camera in ["c1", "c2"] {
                    try files.removeItem(at: tree.url("train/\(modality)/0002_\(camera)_001.png"))
                }
            }
            return (.oneIdentity, "train", "expected two identities or more, found 0001")
        case .twice:
            try tree.add("gallery/nir/0003_c2_001.jpg")
            return (.twice, "gallery/nir/0003_c2_001.png", "found 0003_c2_001.jpg as well")
        case .oneImage:
            for modality in Self.modalities { try files.removeItem(at: tree.url("train/\(modality)/0002_c1_001.png")) }
            return (.singleImage, "0002", "one sighting in train, 0002_c2_001")
        case .oneCamera:
            for modality in Self.modalities {
                try files.moveItem(
                    at: tree.url("train/\(modality)/0002_c2_001.png"), to: tree.url("train/\(modality)/0002_c1_002.png")
                )
            }
            return (.singleCamera, "0002", "camera 1 alone")
        case .noQueries:
            try files.removeItem(at: tree.url("query"))
            return (.emptySplit, "query", "expected images, found none")
        case .overlap:
            for modality in Self.modalities { try tree.add("gallery/\(modality)/0001_c3_001.png") }
            return (.overlap, "0001", "an identity in train, expected in neither query nor gallery")
        }
    }

    @Test("a file that a list names and that is not there is said, and a list that is not there too")
    func lists() throws {
        let tree = try Tree(["a.jpg"])
        try tree.write("manifest.csv", "split,identity,camera,scene,rgb,nir,tir\nquery,7,1,,a.jpg,b.jpg,\n")
        let check = DatasetCheck(try tree.dataset())
        #expect(check.problems.filter(\.kind.isError).map(\.kind) == [.emptySplit, .absent, .emptySplit])
        #expect(
            check.problems.contains { $0.subject.hasSuffix("/b.jpg") && $0.message.contains("manifest.csv lists it") })
        let lists = try Tree()
        try lists.write("idx/train_visible_1.txt", "")
        let problems = DatasetCheck(try lists.dataset()).problems
        #expect(problems.contains { $0.kind == .absent && $0.subject.hasSuffix("test_visible_1.txt") })
    }

    @Test("a strip that cannot be cut is said")
    func strips() throws {
        let tree = try Tree(["rgbir/query/0017_c0003_001.jpg"], width: 97, height: 16)
        let problems = DatasetCheck(try tree.dataset("rgbnt100")).problems
        #expect(
            problems.contains { $0.message.contains("expected 3 images of equal width side by side, found 97 columns") }
        )
    }

    @Test("progress counts the files")
    func progress() throws {
        let seen = Mutex<[Int]>([])
        let tree = try sound()
        _ = DatasetCheck(try tree.dataset()) { done, total in
            #expect(total == 18)
            seen.withLock { $0.append(done) }
        }
        #expect(seen.withLock { $0 } == Array(1...18))
    }
}

@Suite("Broken data in training")
struct BrokenTrainingDataTests {
    private func tree() throws -> Tree {
        let tree = try Tree()
        for (identity, camera) in [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2), (4, 1), (4, 2)] {
            for modality in ["rgb", "nir", "tir"] {
                try tree.add("train/\(modality)/000\(identity)_c\(camera)_001.png", width: 32, height: 16)
            }
        }
        return tree
    }

    private func train(_ tree: Tree, _ settings: [String] = [], steps: Int = 2) throws {
        let text = try String(contentsOf: Fixture.url("replay/recipe.yaml"), encoding: .utf8)
        let settings = ["stages.0.steps=\(steps)", "stages.1.steps=1"] + settings
        try Trainer(
            recipe: try Recipe(yaml: text, settings: settings), dataset: try tree.dataset(),
            output: tree.url("run"), seed: 1
        ).run { _ in }
    }

    @Test("images whose headers cannot be read are all named before anything is trained or written")
    func headers() throws {
        let tree = try tree()
        for name in ["train/rgb/0001_c1_001.png", "train/tir/0004_c2_001.png"] { try tree.write(name, "no image") }
        let error = try #require(throws: DatasetError.self) { try train(tree) }
        #expect("\(error)".contains("2 problems") && "\(error)".contains("rgb/0001_c1_001.png: not a JPEG or PNG"))
        #expect(
            "\(error)".contains("tir/0004_c2_001.png") && !FileManager.default.fileExists(atPath: tree.url("run").path))
    }

    @Test(
        "a modality that nothing has, or all without one each, and too few identities are said before anything is written"
    )
    func nothingToLearn() throws {
        let tree = try tree()
        try FileManager.default.removeItem(at: tree.url("train/nir"))
        let error = try #require(throws: DatasetError.self) { try train(tree) }
        #expect(
            "\(error)".contains(
                "expected sightings with rgb, nir, tir to learn from, found 8 in train, all without nir"))
        let few = try #require(throws: DatasetError.self) {
            try train(self.tree(), ["batch={identities: 5, sightings: 2}", "positives=1"])
        }
        #expect("\(few)".contains("expected at least 5 identities to learn from"))
        #expect(!FileManager.default.fileExists(atPath: tree.url("run").path))
    }

    @Test("an image that turns out to be damaged ends the run with its name and what was found")
    func pixels() throws {
        let tree = try tree()
        let file = tree.url("train/nir/0003_c1_001.png")
        try Data(Data(contentsOf: file).dropLast(60)).write(to: file)
        let error = try #require(throws: DatasetError.self) { try train(tree, steps: 8) }
        #expect("\(error)".contains("nir/0003_c1_001.png") && "\(error)".contains("truncated PNG"))
    }

    @Test("two files of one image are refused")
    func twice() throws {
        let tree = try tree()
        try tree.add("train/nir/0003_c1_001.jpg")
        let error = try #require(throws: DatasetError.self) { try train(tree) }
        #expect("\(error)".contains("expected one nir image of 0003_c1_001, found 0003_c1_001.jpg as well"))
    }

    @Test("images of a modality that the model does not use are neither opened nor demanded")
    func unused() throws {
        let tree = try tree()
        try tree.write("train/tir/0001_c1_001.png", "no image")
        try FileManager.default.removeItem(at: tree.url("train/tir/0002_c1_001.png"))
        try train(
            tree,
            [
                "model.modalities=[rgb, nir]", "model.input.mean={rgb: [0.5, 0.5, 0.5], nir: [0.5, 0.5, 0.5]}",
                "model.input.std={rgb: [0.5, 0.5, 0.5], nir: [0.5, 0.5, 0.5]}",
            ])
        #expect(FileManager.default.fileExists(atPath: tree.url("run/model.safetensors").path))
    }
}
