import Foundation
import Gallery
import Testing

struct FilesTests {
    private static let companions = ["", "-wal", "-shm", "-lock", "-reserve"]

    @Test("Only their owner can read a database's files, also those that an earlier release made for all")
    func modes() async throws {
        try await withStore(on: [.sqlite]) { store, directory in
            for suffix in Self.companions { #expect(try directory.mode(of: "g.sqlite\(suffix)") == 0o600, "\(suffix)") }
            try await store.close()
            chmod(directory.file("g.sqlite"), 0o644)
            chmod(directory.file("g.sqlite-lock"), 0o666)
            let again = try await GalleryStore.open(path: directory.file("g.sqlite"))
            for suffix in Self.companions { #expect(try directory.mode(of: "g.sqlite\(suffix)") == 0o600, "\(suffix)") }
            try await again.close()
        }
    }

    @Test("A symbolic link to a database that is in use is in use", arguments: ["file", "folder", "chain"])
    func links(kind: String) async throws {
        try await withStore(on: [.sqlite]) { store, directory in
            let manager = FileManager.default
            let other = try TemporaryDirectory()
            var path = other.file("link.sqlite")
            switch kind {
            case "file": try manager.createSymbolicLink(atPath: path, withDestinationPath: directory.file("g.sqlite"))
            case "chain":
                try manager.createSymbolicLink(atPath: other.file("second"), withDestinationPath: directory.path)
                try manager.createSymbolicLink(atPath: path, withDestinationPath: "second/g.sqlite")
            default:
                try manager.createSymbolicLink(atPath: other.file("folder"), withDestinationPath: directory.path)
                path = other.file("folder/g.sqlite")
            }
            await expectError(.inUse(path)) { [path] in try await GalleryStore.open(path: path) }
            try await store.close()
            let linked = try await GalleryStore.open(path: path)
            #expect(try await linked.galleries().items.map(\.name) == ["g"])
            try await linked.close()
        }
    }

    @Test("A link that leads nowhere yet leads to the new database")
    func dangling() async throws {
        let directory = try TemporaryDirectory()
        try FileManager.default.createSymbolicLink(
            atPath: directory.file("link"), withDestinationPath: "g.sqlite")
        try await GalleryStore.open(path: directory.file("link")).close()
        let store = try await GalleryStore.open(path: directory.file("g.sqlite"))
        await expectError(kind: "inUse") { try await GalleryStore.open(path: directory.file("link")) }
        try await store.close()
        try FileManager.default.createSymbolicLink(atPath: directory.file("loop"), withDestinationPath: "loop")
        await expectError(kind: "storage") { try await GalleryStore.open(path: directory.file("loop")) }
    }

    @Test("A database that has two names is refused")
    func hardLinks() async throws {
        try await withStore(on: [.sqlite]) { store, directory in
            try FileManager.default.linkItem(atPath: directory.file("g.sqlite"), toPath: directory.file("second"))
            await expectError(kind: "storage") { try await GalleryStore.open(path: directory.file("second")) }
            try await store.close()
            await expectError(kind: "storage") { try await GalleryStore.open(path: directory.file("g.sqlite")) }
        }
    }
}
