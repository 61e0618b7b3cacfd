import Foundation
import Imaging
import Inference
import Testing
import Training

@Suite("Multi-modal versions of RGB data sets")
struct DerivedDatasetTests {
    @Test("NI is grey, RGB darkened by 60 %, TI red and the lack of blue, blurred")
    func pixels() {
        let image = Image(
            width: 6, height: 5, channels: 3, pixels: (0..<30).flatMap { _ in [UInt8(200), 100, 50] })
        let expected: [(Modality, [UInt8])] = [
            (.rgb, [80, 40, 20]), (.nir, [124, 124, 124]), (.tir, [202, 202, 202]),
        ]
        for (modality, colour) in expected {
            let derived = DerivedDataset.derived(image, modality)
            #expect(derived.size == image.size && Array(derived.pixels[42..<45]) == colour, "\(modality)")
            #expect(Set(derived.pixels) == Set(colour))
        }
        var dot = Image(width: 9, height: 9, channels: 3, pixels: [UInt8](repeating: 255, count: 243))
        for at in 0..<243 where at % 3 != 2 { dot.pixels[at] = 0 }
        dot.pixels[(4 * 9 + 4) * 3] = 255
        let heat = DerivedDataset.derived(dot, .tir)
        #expect(
            heat.pixels[(4 * 9 + 4) * 3] == 6 && heat.pixels[(2 * 9 + 2) * 3] == 6 && heat.pixels[(1 * 9 + 4) * 3] == 0)
    }

    @Test("Market-1501 becomes its multi-modal version under its own names, the same each time")
    func market() throws {
        let tree = try Tree([
            "market/bounding_box_train/0002_c1s1_000451_03.jpg", "market/bounding_box_train/0007_c2s1_000451_01.jpg",
            "market/query/0003_c4s2_000451_00.jpg",
            "market/bounding_box_test/0003_c6s1_000451_03.jpg", "market/bounding_box_test/-1_c1s1_000401_03.jpg",
        ])
        let source = try TriplesDataset(root: tree.url("market"))
        for name in ["first", "second"] {
            #expect(try DerivedDataset(source).write(to: tree.url(name)) == 4)
        }
        let derived = try TriplesDataset(root: tree.url("first"))
        #expect(derived.layout.name == "market-multimodal")
        #expect(DatasetCheck(derived, decoding: true).problems.filter(\.kind.isError).isEmpty)
        #expect(try derived.sightings(.train).map(\.name) == ["0002_c1s1_000451_03", "0007_c2s1_000451_01"])
        #expect(try derived.sightings(.gallery).map(\.files.count) == [3])
        for split in ["train/RGB", "train/NI", "train/TI"] {
            let files = ["first", "second"].map { tree.url("\($0)/\(split)/0002_c1s1_000451_03.jpg") }
            #expect(try Data(contentsOf: files[0]) == Data(contentsOf: files[1]))
        }
        #expect(throws: DatasetError.self) { try DerivedDataset(source).write(to: tree.url("first")) }
    }

    @Test("names are made where the source's do not say identity and camera; a failure leaves nothing")
    func names() throws {
        let tree = try Tree(["a/1.png", "a/2.png"])
        try tree.write("manifest.csv", "split,identity,camera,scene,rgb,nir,tir\ntrain,car-7,3,,a/1.png,,\n")
        try DerivedDataset(tree.dataset()).write(to: tree.url("out"))
        let sighting = try #require(TriplesDataset(root: tree.url("out")).sightings(.train).first)
        #expect(sighting.identity == "car-7" && sighting.camera == 3 && sighting.name == "car-7_c3_0")
        try tree.write("a/2.png", "no image")
        try tree.write("manifest.csv", "split,identity,camera,scene,rgb,nir,tir\ntrain,8,3,,a/2.png,,\n")
        #expect(throws: DatasetError.self) { try DerivedDataset(tree.dataset()).write(to: tree.url("other")) }
        let left = try FileManager.default.contentsOfDirectory(atPath: tree.root.path).sorted()
        #expect(left == ["a", "manifest.csv", "out"])
    }
}
