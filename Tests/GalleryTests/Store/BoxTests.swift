import DatabaseFixtures
import Foundation
import GRDB
import Gallery
import Testing

/// Where in a sighting's images it is.
struct BoxTests {
    private func box(_ numbers: [Int]) throws -> PixelBox { try #require(PixelBox(numbers)) }

    private func frames() throws -> [KeptImage] {
        [
            KeptImage(modality: "rgb", contentType: "image/png", bytes: Data([1]), box: try box([10, 20, 300, 400])),
            KeptImage(modality: "tir", contentType: "image/png", bytes: Data([2])),
        ]
    }

    @Test("A box has a corner and a size, and is JSON of four numbers")
    func numbers() throws {
        for numbers in [[], [1, 2, 3], [1, 2, 3, 4, 5], [-1, 0, 1, 1], [0, -1, 1, 1], [0, 0, 0, 1], [0, 0, 1, 0]] {
            #expect(PixelBox(numbers) == nil, "\(numbers)")
            let text = Data("\(numbers)".utf8)
            #expect(throws: DecodingError.self) { try JSONDecoder().decode(PixelBox.self, from: text) }
        }
        let found = try JSONDecoder().decode(PixelBox.self, from: Data("[1, 2, 3, 4]".utf8))
        #expect(try found == box([1, 2, 3, 4]) && found.width == 3 && found.height == 4)
        #expect(try JSONEncoder().encode(found) == Data("[1,2,3,4]".utf8))
    }

    @Test("Boxes are kept with the images: in lists, for another model, in an export, and over a restart")
    func kept() async throws {
        try await withStore { store, directory in
            let enrolment = Enrolment(identity: "a", images: try frames(), embeddings: [embedding([1])])
            let sighting = try await store.enrol(enrolment, in: "g").sighting
            _ = try await store.enrol(Enrolment(identity: "b", embeddings: [embedding([1])]), in: "g")
            #expect(try sighting.boxes == ["rgb": box([10, 20, 300, 400])])
            #expect(try await store.sightings(in: "g", SightingListFilter()).items.map(\.boxes.count) == [1, 0])
            #expect(try await store.image("rgb", of: sighting.id, in: "g") == frames()[0])
            #expect(try await store.image("tir", of: sighting.id, in: "g") == frames()[1])
            var patch = SightingPatch()
            patch.camera = .set("north")
            #expect(try await store.updateSighting(sighting.id, in: "g", patch).boxes == sighting.boxes)
            let pending = try await store.pendingBatch(model: "other", limit: 10).sightings
            #expect(try pending.map(\.images) == [frames(), []])
            let row = try #require(try await store.sample(count: 10).first)
            #expect(try await store.sampled(row)?.images == frames())
            let exported = try await store.exportBatch(in: "g", model: "m").sightings
            #expect(try exported.map(\.images) == [frames(), []])
            try await store.close()
            let again = try await directory.open()
            #expect(try await again.sighting(sighting.id, in: "g").boxes == sighting.boxes)
            try await again.close()
        }
    }

    @Test("A server that keeps no images keeps no boxes")
    func withoutImages() async throws {
        var configuration = GalleryConfiguration()
        configuration.keepsImages = false
        try await withStore(configuration) { store, _ in
            let enrolment = Enrolment(identity: "a", images: try frames(), embeddings: [embedding([1])])
            let sighting = try await store.enrol(enrolment, in: "g").sighting
            #expect(sighting.boxes.isEmpty && sighting.modalities.isEmpty)
        }
    }

    @Test("A box that was changed from outside is found, and nothing else")
    func damaged() async throws {
        for engine in DatabaseEngine.all {
            try await engine.taking {
                let directory = try TemporaryDirectory(engine)
                let store = try await directory.open()
                _ = try await store.createGallery("g")
                for identity in ["a", "b"] {
                    let images = identity == "a" ? try frames() : []
                    _ = try await store.enrol(
                        Enrolment(identity: identity, images: images, embeddings: [embedding([1])]), in: "g")
                }
                try await store.close()
                try await expectSound(directory)
                try directory.alter("UPDATE sighting SET boxes = replace(boxes, '300', '301') WHERE boxes IS NOT NULL")
                #expect(try await examine(directory).findings.map(\.kind) == ["sighting"])
            }
        }
    }

    @Test("A gallery of schema version 6 is sound as it was after its migration, and takes boxes")
    func earlier() async throws {
        let directory = try TemporaryDirectory()
        let fixture = try #require(
            Bundle.module.url(forResource: "gallery-v6", withExtension: "sqlite", subdirectory: "Fixtures"))
        try FileManager.default.copyItem(atPath: fixture.path, toPath: directory.file("g.sqlite"))
        let report = try await examine(directory)
        #expect(report.count == 0 && report.sightings == 6 && report.undigested == 0, "\(report.findings)")
        let store = try await directory.open()
        let sightings = try await store.sightings(in: "vehicles", SightingListFilter()).items
        #expect(sightings.count == 6 && sightings.allSatisfy { $0.boxes.isEmpty && $0.modalities == ["tir"] })
        let new = try await store.enrol(Enrolment(identity: "new", images: frames()), in: "vehicles").sighting
        #expect(try await store.sighting(new.id, in: "vehicles").boxes.keys.sorted() == ["rgb"])
        #expect(FileManager.default.fileExists(atPath: directory.file("g.sqlite.v6")))
        try await store.close()
    }
}
