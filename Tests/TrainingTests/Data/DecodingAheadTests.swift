import Foundation
import Imaging
import Inference
import Testing
import Training

@Suite("Images are decoded ahead")
struct DecodingAheadTests {
    private func images(budget: Int, threads: Int) throws -> SightingImages {
        let sightings = try TriplesDataset(root: Fixture.url("replay/data")).sightings(.train)
        let input = try Recipe(path: Fixture.url("replay/recipe.yaml").path).model.input
        return SightingImages(sightings, Preprocessing(input), budget: budget, threads: threads)
    }

    @Test("what was begun early is what is decoded late, by any number of threads, kept or not")
    func equal() throws {
        let order = [[3, 1, 4, 1], [5, 9, 2, 6], [5, 3, 5, 8], [9, 7, 9, 3]]
        let expected = try order.map { try images(budget: 0, threads: 1).images(at: $0) }
        for budget in [0, 1 << 30] {
            for threads in [1, 3] {
                let images = try images(budget: budget, threads: threads)
                // Two batches ahead.
                images.decodeAhead(order[0])
                images.decodeAhead(order[1])
                for (index, batch) in order.enumerated() {
                    if index + 2 < order.count { images.decodeAhead(order[index + 2]) }
                    #expect(try images.images(at: batch) == expected[index])
                }
                #expect(images.aheadCount == 0)
                #expect((images.keptBytes > 0) == (budget > 0) && images.waited > .zero)
            }
        }
    }

    @Test("what is decoded ahead is bounded: what is left out is decoded when it is wanted")
    func bounded() throws {
        // 256 MiB of 1024 × 1024 pixels: 85 images.
        var input = try Recipe(path: Fixture.url("replay/recipe.yaml").path).model.input
        (input.width, input.height) = (1024, 1024)
        let missing = (0..<100).map { index in
            TriplesDataset.Sighting(
                name: "\(index)", identity: "0", camera: 1,
                files: [.rgb: ImageFile(URL(fileURLWithPath: "/nowhere/\(index).png"))])
        }
        let images = SightingImages(missing, Preprocessing(input), modalities: [.rgb], budget: 0, threads: 1)
        images.decodeAhead(Array(0..<100))
        #expect(images.aheadCount == 85)
        let late = try #require(throws: DatasetError.self) { try images.images(at: [99]) }
        #expect("\(late)".contains("/nowhere/99.png"))
        #expect(images.aheadCount == 85)
        images.forgetAhead()
        #expect(images.aheadCount == 0)
    }

    @Test("an error is that of the image which was wanted")
    func failure() throws {
        let tree = try Tree(["train/rgb/0001_c1_001.png", "train/rgb/0001_c2_001.png"])
        try tree.write("train/rgb/0001_c2_001.png", "no image")
        let input = try Fixture.graft().configuration.input
        let images = SightingImages(try tree.dataset().sightings(.train), Preprocessing(input), threads: 1)
        images.decodeAhead([0, 1])
        #expect(try images.images(at: [0]).count == 1)
        let error = try #require(throws: DatasetError.self) { try images.images(at: [1]) }
        #expect("\(error)".contains("0001_c2_001.png") && "\(error)".contains("starts with 6e 6f"))
    }
}
