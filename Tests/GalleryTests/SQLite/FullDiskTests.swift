import Foundation
import Gallery
import Testing

@Suite(.enabled(if: SmallDisk.isAvailable, "needs root to mount a small file system"))
struct FullDiskTests {
    private func enrol(_ identity: String, in gallery: String, _ store: GalleryStore) async throws -> String {
        let image = KeptImage(modality: "rgb", contentType: "image/png", bytes: Data(count: 300_000))
        let enrolment = Enrolment(identity: identity, images: [image], embeddings: [embedding([1, 0])])
        return try await store.enrol(enrolment, in: gallery).sighting.id
    }

    private func fill(_ disk: SmallDisk, _ store: GalleryStore) async throws {
        do {
            while true { _ = try await enrol("more", in: "h", store) }
        } catch GalleryError.full {}
        try disk.fill()
        await expectError(.full) { try await enrol("more", in: "h", store) }
    }

    private func open(_ disk: SmallDisk) async throws -> GalleryStore {
        var configuration = GalleryConfiguration()
        configuration.reserveBytes = 8 << 20
        return try await GalleryStore.open(path: disk.file("g.sqlite"), configuration: configuration)
    }

    private func erase(_ what: String, _ ids: [String], _ store: GalleryStore) async throws {
        switch what {
        case "sightings": for id in ids { try await store.deleteSighting(id, in: "g") }
        case "identity": try await store.deleteIdentity("a", in: "g")
        default: try await store.deleteGallery("g")
        }
    }

    @Test(
        "On a full disk erasures free space, again and again, and a start is not refused",
        arguments: ["sightings", "identity", "gallery"])
    func erasures(what: String) async throws {
        let disk = try SmallDisk(megabytes: 48)
        var store = try await open(disk)
        for name in ["g", "h"] { _ = try await store.createGallery(name) }
        for round in 0..<4 {
            var ids: [String] = []
            for _ in 0..<20 { ids.append(try await enrol("a", in: "g", store)) }
            try await fill(disk, store)
            if round % 2 == 1 {
                try await store.close()
                try disk.fill()
                store = try await open(disk)
            }
            try await erase(what, ids, store)
            try await store.waitUntilErased()
            if what == "gallery" { _ = try await store.createGallery("g") }
            _ = try await enrol("a", in: "g", store)
            try await store.checkIntegrity()
            try await store.deleteIdentity("a", in: "g")
            try await store.deleteIdentity("more", in: "h")
            try await store.waitUntilErased()
            try FileManager.default.removeItem(atPath: disk.file("filler"))
        }
        try await store.close()
    }
}
