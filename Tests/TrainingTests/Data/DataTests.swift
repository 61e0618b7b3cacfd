import Foundation
import Imaging
import Inference
import Randomness
import Testing
import Training

@Suite("Data sets, sampling and augmentation")
struct DataTests {
    private func dataset() throws -> TriplesDataset { try TriplesDataset(root: Fixture.url("replay/data")) }

    @Test("a split's sightings come by name, with identity, camera and files")
    func reading() throws {
        let sightings = try dataset().sightings(.train)
        #expect(sightings.count == 20)
        #expect(sightings[0].name == "0000_c1_000" && sightings[0].identity == "0000" && sightings[0].camera == 1)
        #expect(sightings.allSatisfy { $0.files.count == 3 })
        #expect(sightings.map(\.name) == sightings.map(\.name).sorted())
    }

    @Test("what is missing or cannot be read is named")
    func badData() throws {
        let folder = Fixture.scratch()
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(throws: DatasetError.self) { try TriplesDataset(root: folder) }
        let images = folder.appendingPathComponent("train/rgb")
        try FileManager.default.createDirectory(at: images, withIntermediateDirectories: true)
        let dataset = try TriplesDataset(root: folder)
        #expect(throws: DatasetError.self) { try dataset.sightings(.train) }
        try Data("not an image".utf8).write(to: images.appendingPathComponent("0001_c2_000.jpg"))
        let sightings = try dataset.sightings(.train)
        #expect(sightings.map(\.camera) == [2])
        let input = try Fixture.graft().configuration.input
        #expect {
            try SightingImages(sightings, Preprocessing(input)).images(at: [0])
        } throws: { "\($0)".contains("0001_c2_000.jpg") && "\($0)".contains("not a JPEG or PNG") }
        try Data().write(to: images.appendingPathComponent("car-7.jpg"))
        #expect {
            try dataset.sightings(.train)
        } throws: { "\($0)".contains("car-7.jpg") }
    }

    @Test("a sighting that is asked for twice at once is decoded and kept once")
    func duplicates() throws {
        let sightings = try TriplesDataset(root: Fixture.url("replay/data")).sightings(.train)
        let input = try Recipe(path: Fixture.url("replay/recipe.yaml").path).model.input
        let bytes = 3 * 3 * input.width * input.height
        let images = SightingImages(sightings, Preprocessing(input), budget: 2 * bytes)
        let found = try images.images(at: [0, 1, 0, 0, 0])
        #expect(found.count == 5 && found[0] == found[2] && found[0] != found[1])
        #expect(images.keptBytes == 2 * bytes)
    }

    @Test("16-bit values mean what the model's range says, modality by modality; without one each image is stretched")
    func valueRange() throws {
        let folder = Fixture.scratch()
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appendingPathComponent("a.png")
        let values = (0..<256).map { UInt16(20_000 + 10 * $0) }
        try PNGEncoder.encode(grey: values, width: 16, height: 16).write(to: file)
        let sighting = TriplesDataset.Sighting(
            name: "a", identity: "1", camera: 1, files: [.nir: ImageFile(file), .tir: ImageFile(file)])
        let input = ModelConfiguration.Input(
            height: 16, width: 16, mean: [:], std: [:], valueRange: [.tir: 20_000...30_200])
        let images = try #require(SightingImages([sighting], Preprocessing(input)).images(at: [0]).first)
        let decoded = { (range: ClosedRange<UInt16>?) in
            try ImageDecoder(thermalRange: range).decode(Data(contentsOf: file))
        }
        #expect(try images[.tir] == decoded(20_000...30_200) && images[.nir] == decoded(nil))
        #expect(images[.tir]?.pixels.max() == 64 && images[.nir]?.pixels.max() == 255)
    }

    @Test("augmentation flips, moves and erases alike in all modalities; none changes nothing")
    func augmentation() {
        let image = Image(width: 8, height: 6, channels: 3, pixels: (0..<144).map { UInt8($0) })
        var generator = SplitMix64(seed: 1)
        let draw = Augmentation.none.draw(width: 8, height: 6, &generator)
        #expect(Augmentation.apply(draw, to: image, fill: [0, 0, 0]) == image)
        let flipped = Augmentation.Draw(flip: true, erase: [1, 2, 3, 2], shift: [0, 0])
        let result = Augmentation.apply(flipped, to: image, fill: [7, 8, 9])
        #expect(Array(result.pixels[0..<3]) == [21, 22, 23])
        for y in 0..<6 {
            for x in 0..<8 {
                let isErased = (1..<4).contains(x) && (2..<4).contains(y)
                let at: Int = (y * 8 + x) * 3
                let pixel: [UInt8] = Array(result.pixels[at..<(at + 3)])
                #expect((pixel == [7, 8, 9]) == isErased)
            }
        }
        let moved = Augmentation.apply(.init(flip: false, erase: nil, shift: [2, 1]), to: image, fill: [0, 0, 0])
        #expect(moved.pixels[(1 * 8 + 2) * 3] == image.pixels[0])
        #expect(moved.pixels[0] == image.pixels[0])
        let shares = (0..<2000).map { _ in Augmentation(flip: 0.5, erase: 0.3).draw(width: 64, height: 32, &generator) }
        #expect(abs(shares.count { $0.flip } - 1000) < 100)
        #expect(abs(shares.count { $0.erase != nil } - 600) < 100)
    }
}
