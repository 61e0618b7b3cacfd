import Foundation
import Imaging
import Inference
import Testing
import Training

@Suite("Layouts of data sets whose modalities were recorded together")
struct LayoutTests {
    /// What a layout is expected to read of a tree.
    struct Case: CustomTestStringConvertible, Sendable {
        let layout: String
        let paths: [String]
        /// Identities and cameras of train, query and gallery, by name.
        let train: [String]
        let query: [String]
        let gallery: [String]
        var size = (width: 8, height: 16)
        var testDescription: String { layout }
    }

    private static func inEach(_ folders: [String], _ name: String) -> [String] { folders.map { "\($0)/\(name)" } }

    static let cases = [
        Case(
            layout: "rgbnt201",
            paths: inEach(["train_171/RGB", "train_171/NI", "train_171/TI"], "000258_cam1_0_00.jpg")
                + inEach(["test/RGB", "test/NI", "test/TI"], "000001_cam4_0_02.jpg"),
            train: ["000258 1"], query: ["000001 4"], gallery: ["000001 4"]),
        Case(
            layout: "rgbnt100",
            paths: [
                "rgbir/bounding_box_train/0501_c0001_000.jpg", "rgbir/query/0017_c0003_001.jpg",
                "rgbir/bounding_box_test/0017_c0008_002.jpg", "rgbir/bounding_box_test/-1_c0008_002.jpg",
            ], train: ["0501 1"], query: ["0017 3"], gallery: ["0017 8"], size: (96, 16)),
        Case(
            layout: "rgbn300",
            paths: [
                "rgbir/bounding_box_train/0501_c0001_000.jpg", "rgbir/query/0017_c0003_001.jpg",
                "rgbir/bounding_box_test/0017_c0008_002.jpg",
            ], train: ["0501 1"], query: ["0017 3"], gallery: ["0017 8"], size: (64, 16)),
        Case(
            layout: "rgbn300", paths: ["RGBNT300/rgbir/bounding_box_train/0501_c0001_000.jpg"], train: ["0501 1"],
            query: [], gallery: [], size: (64, 16)),
        Case(
            layout: "rgbn300", paths: ["RGBN300/rgbir/bounding_box_train/0501_c0001_000.jpg"], train: ["0501 1"],
            query: [], gallery: [], size: (64, 16)),
        Case(
            layout: "msvr310",
            paths: ["bounding_box_train/0003", "query3/0001", "bounding_box_test/0001"].flatMap { folder in
                ["vis", "ni", "th"].map { "\(folder)/\($0)/\(folder.suffix(4))_s002_v1_007.jpg" }
            }, train: ["0003 1 s002"], query: ["0001 1 s002"], gallery: ["0001 1 s002"]),
        Case(
            layout: "wmveid863",
            paths: ["train/0004", "query/0002", "test/0002"].flatMap { folder in
                ["vis", "ni", "th"].map { "\(folder)/\($0)/n1v5_0003.jpg" }
            }, train: ["0004 5"], query: ["0002 5"], gallery: ["0002 5"]),
        Case(
            layout: "market1501",
            paths: [
                "bounding_box_train/0002_c1s1_000451_03.jpg", "query/0003_c4s2_000451_00.jpg",
                "bounding_box_test/0003_c6s1_000451_03.jpg", "bounding_box_test/-1_c1s1_000401_03.jpg",
                "bounding_box_test/0000_c2s1_000151_01.jpg",
            ], train: ["0002 1"], query: ["0003 4"], gallery: ["0000 2", "0003 6"]),
        Case(
            layout: "market-multimodal",
            paths: inEach(["train/RGB", "train/NI", "train/TI"], "0002_c1s1_000451_03.jpg")
                + inEach(["query/RGB", "query/NI", "query/TI"], "0003_c4s2_000451_00.jpg")
                + inEach(["gallery/RGB", "gallery/NI", "gallery/TI"], "0003_c5s2_000451_00.jpg"),
            train: ["0002 1"], query: ["0003 4"], gallery: ["0003 5"]),
        Case(
            layout: "triples",
            paths: inEach(["train/rgb", "train/nir", "train/tir"], "0007_c2_001.jpg")
                + inEach(["query/rgb", "query/tir"], "0009_c1_001.png") + ["gallery/nir/0009_c3_001.jpg"],
            train: ["0007 2"], query: ["0009 1"], gallery: ["0009 3"]),
    ]

    private func read(_ dataset: TriplesDataset, _ split: TriplesDataset.Split) throws -> [String] {
        try dataset.listing(split).sightings.map { sighting in
            "\(sighting.identity) \(sighting.camera)" + (sighting.scene.map { " s\($0)" } ?? "")
        }
    }

    @Test("a tree with a layout's names is recognised, and read as its benchmark reads it", arguments: cases)
    func reading(_ expected: Case) throws {
        let tree = try Tree(expected.paths, width: expected.size.width, height: expected.size.height)
        let dataset = try tree.dataset()
        #expect(dataset.layout.name == expected.layout)
        #expect(try read(dataset, .train) == expected.train)
        #expect(try read(dataset, .query) == expected.query)
        #expect(try read(dataset, .gallery) == expected.gallery)
        let complete = try dataset.sightings(.train)
        #expect(complete.allSatisfy { Set($0.files.keys) == Set(dataset.layout.modalities) })
        #expect(try tree.dataset(expected.layout).layout.name == expected.layout)
    }

    @Test("the images of a sighting are those of one name, whatever else a folder holds")
    func pairing() throws {
        let tree = try Tree(["train/0004/vis/v1_b.jpg", "train/0004/vis/v1_c.jpg", "train/0004/ni/v1_a.jpg"])
        try tree.add("train/0004/ni/v1_c.png")
        let sightings = try tree.dataset().sightings(.train)
        #expect(sightings.map(\.name) == ["0004/v1_a", "0004/v1_b", "0004/v1_c"])
        #expect(sightings.map { $0.files.keys.sorted() } == [[.nir], [.rgb], [.rgb, .nir]])
    }

    @Test("a strip is cut while it is decoded: RGB, NIR and TIR from the left; RGBN300 has two")
    func strips() throws {
        for (layout, shown) in [("rgbnt100", [Modality.rgb, .nir, .tir]), ("rgbn300", [.rgb, .nir])] {
            let tree = try Tree()
            let width = 32 * shown.count
            let pixels = (0..<width * 16).flatMap { index -> [UInt8] in
                [UInt8](repeating: UInt8(50 + 60 * (index % width / 32)), count: 3)
            }
            try tree.add(
                "rgbir/query/0017_c0003_001.png", Image(width: width, height: 16, channels: 3, pixels: pixels))
            let sighting = try #require(tree.dataset().sightings(.query).first)
            #expect(try tree.dataset().layout.name == layout)
            let input = try Fixture.graft().configuration.input
            let images = try #require(
                SightingImages([sighting], Preprocessing(input)).images(at: [0]).first)
            #expect(Set(images.keys) == Set(shown))
            for (index, modality) in shown.enumerated() {
                #expect(Set(try #require(images[modality]).pixels) == [UInt8(50 + 60 * index)])
                let upload = try #require(sighting.files[modality]).forUpload()
                let sent = try ImageDecoder().decode(upload.bytes)
                #expect(upload.type == "image/png" && sent.width == 32 && Set(sent.pixels) == [UInt8(50 + 60 * index)])
            }
        }
    }

    @Test("a list names images anywhere; a modality may be absent, and a scene too")
    func manifest() throws {
        let tree = try Tree(["a/1.jpg", "a/2.png", "a/with, comma.jpg"])
        try tree.write(
            "lists/cars.csv",
            """
            split,identity,camera,scene,rgb,nir,tir\r
            train,7,1,,../a/1.jpg,../a/2.png,\r
            query,9,2,dusk,,,"../a/with, comma.jpg"\r
            """)
        let dataset = try TriplesDataset(root: tree.url("lists/cars.csv"))
        #expect(dataset.layout.name == "csv")
        let train = try dataset.sightings(.train)
        #expect(train.count == 1 && train[0].identity == "7" && train[0].scene == nil)
        #expect(train[0].files.keys.sorted() == [.rgb, .nir])
        let query = try dataset.sightings(.query)
        #expect(query.first?.scene == "dusk" && query.first?.camera == 2)
        #expect(query.first?.files[.tir]?.url.path == tree.url("a/with, comma.jpg").standardizedFileURL.path)
    }

    @Test(
        "what is wrong with a list is said with its line",
        arguments: [
            ("id,camera\n", "line 1: expected the header split,identity,camera,scene,rgb,nir,tir, found id,camera"),
            ("train,7,1,,a.jpg\n", "line 2: expected 7 fields"),
            ("test,7,1,,a.jpg,,\n", "line 2: expected train, val, query"),
            ("train,,1,,a.jpg,,\n", "line 2: expected an identity, found none"),
            ("train,7,x,,a.jpg,,\n", "line 2: expected a number as camera, found 'x'"),
            ("train,7,1,,,,\n", "line 2: expected at least one image, found none"),
        ])
    func badManifest(rows: String, message: String) throws {
        let tree = try Tree(["a.jpg"])
        let header = rows.hasPrefix("id") ? "" : "split,identity,camera,scene,rgb,nir,tir\n"
        try tree.write("manifest.csv", header + rows)
        let error = try #require(throws: DatasetError.self) { try tree.dataset().sightings(.train) }
        #expect("\(error)".contains(message), "\(error)")
    }

    @Test("what is not recognised, or may be two things, is said, and a layout can be insisted on")
    func recognition() throws {
        let tree = try Tree(["pictures/1.jpg"])
        let unknown = try #require(throws: DatasetError.self) { try tree.dataset() }
        #expect("\(unknown)".contains("found none of the layouts") && "\(unknown)".contains("rgbnt201: {train_171"))
        let absent = try #require(throws: DatasetError.self) { try tree.dataset("msvr310") }
        #expect("\(absent)".contains("msvr310") && !"\(absent)".contains("rgbnt201"))
        let wrong = try #require(throws: DatasetError.self) { try tree.dataset("msvr") }
        #expect("\(wrong)".contains("found msvr") && "\(wrong)".contains("msvr310"))
        try tree.add("train/rgb/0001_c1_001.jpg")
        try tree.add("query/0003_c4s2_000451_00.jpg")
        let both = try #require(throws: DatasetError.self) { try tree.dataset() }
        #expect("\(both)".contains("triples or market1501: say which with --layout"))
        #expect(try tree.dataset("triples").sightings(.train).count == 1)
        let trial = try #require(throws: DatasetError.self) { try tree.dataset("triples", trial: 2) }
        #expect("\(trial)".contains("expected no trial but 1, found 2"))
    }
}
