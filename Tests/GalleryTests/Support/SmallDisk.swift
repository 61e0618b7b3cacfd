import Foundation
import Testing

/// A file system of its own, so small that it can be filled. Only root can make one.
final class SmallDisk: Sendable {
    static let isAvailable = (try? SmallDisk(megabytes: 1)) != nil

    private let directory: TemporaryDirectory

    init(megabytes: Int) throws {
        directory = try TemporaryDirectory()
        try Self.run("mount", ["-t", "tmpfs", "-o", "size=\(megabytes)m", "tmpfs", directory.path])
    }

    deinit { try? Self.run("umount", ["-l", directory.path]) }

    func file(_ name: String) -> String { directory.file(name) }

    private static func run(_ program: String, _ arguments: [String]) throws {
        guard geteuid() == 0 else { throw CocoaError(.featureUnsupported) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CocoaError(.featureUnsupported) }
    }

    /// Takes all that is left, to the last byte.
    func fill() throws {
        let file = open(self.file("filler"), O_WRONLY | O_CREAT | O_APPEND, 0o600)
        try #require(file >= 0)
        defer { close(file) }
        for size in [1 << 16, 1 << 12, 1] {
            let bytes = [UInt8](repeating: 1, count: size)
            while write(file, bytes, size) > 0 {}
        }
        #expect(errno == ENOSPC)
    }
}
