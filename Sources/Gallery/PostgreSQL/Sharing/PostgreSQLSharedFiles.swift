import Crypto
import Documents
import Foundation
import Threads

/// Files that servers of one database keep for each other, in pieces.
///
/// They belong to no gallery and are no changes that a server follows: they have a thread and transactions of their own, beside those
/// that take numbers, so that no enrolment waits for a gigabyte.
final class PostgreSQLSharedFiles: Sendable {
    /// Bytes of a piece.
    static let piece = 8 << 20

    private let pool: PostgreSQLPool
    private let threads = WorkerThreads("shared files", count: 1)

    init(_ pool: PostgreSQLPool) { self.pool = pool }

    private func transact<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
        try await threads.run { [pool] in try GalleryError.translating { try pool.transact(body) } }
    }

    func all() async throws -> [SharedFile] {
        try await transact { try $0.rows("SELECT * FROM shared_file ORDER BY name").map(SharedFile.init) }
    }

    /// False if it was whole already.
    func share(_ name: String, from path: String) async throws -> Bool {
        let source = try await threads.run { try GalleryError.translating { try InputFile(path) } }
        guard try await begin(name, bytes: source.size) else { return false }
        var hash = SHA256()
        for (number, start) in stride(from: 0, to: source.size, by: Self.piece).enumerated() {
            let part = start..<min(start + Self.piece, source.size)
            let bytes = try await threads.run { Data(try GalleryError.translating { try source.read(part) }) }
            hash.update(data: bytes)
            try await transact { try Self.add(bytes, number, to: name, $0) }
        }
        let digest = hash.finalize().hexadecimal
        try await transact { try Self.finish(name, digest, $0) }
        return true
    }

    /// False if it is whole already.
    private func begin(_ name: String, bytes: Int) async throws -> Bool {
        try await transact { db in
            let known = try db.first("SELECT * FROM shared_file WHERE name = ? FOR UPDATE", [name]).map(SharedFile.init)
            if known?.state == .whole { return false }
            if let known, known.state == .coming {
                try Validation.require(known.bytes == bytes, "file", "one of \(known.bytes) bytes", "one of \(bytes)")
            }
            try db.execute(
                """
                INSERT INTO shared_file VALUES (?, 'coming', ?, '', \(PostgreSQLSchema.now))
                ON CONFLICT (name) DO UPDATE SET state = 'coming', bytes = excluded.bytes,
                    changed_at = excluded.changed_at
                """, [name, bytes])
            return true
        }
    }

    /// Unless another server has put the same piece in.
    private static func add(_ bytes: Data, _ number: Int, to name: String, _ db: any SQLSession) throws {
        let isComing = try db.execute(
            "UPDATE shared_file SET changed_at = \(PostgreSQLSchema.now) WHERE name = ? AND state <> 'gone'", [name])
        if isComing == 0 { throw CancellationError() }
        let isThere = try db.value(
            Bool.self, "SELECT length(bytes) = ? FROM shared_piece WHERE name = ? AND number = ?",
            [bytes.count, name, number])
        if isThere == true { return }
        try db.execute(
            "INSERT INTO shared_piece VALUES (?, ?, ?) ON CONFLICT (name, number) DO UPDATE SET bytes = excluded.bytes",
            [name, number, bytes])
    }

    private static func finish(_ name: String, _ digest: String, _ db: any SQLSession) throws {
        let held = try db.value(Int.self, "SELECT SUM(length(bytes)) FROM shared_piece WHERE name = ?", [name]) ?? 0
        let file = try db.first("SELECT * FROM shared_file WHERE name = ? FOR UPDATE", [name]).map(SharedFile.init)
        guard let file, file.state != .gone else { throw CancellationError() }
        guard file.bytes == held else {
            throw GalleryError.storage("\(name): expected \(file.bytes) bytes in pieces, found \(held)")
        }
        try db.execute(
            """
            UPDATE shared_file SET state = 'whole', digest = ?, changed_at = \(PostgreSQLSchema.now) WHERE name = ?
            """, [digest, name])
    }

    func fetch(_ name: String, to path: String) async throws -> Bool {
        guard let found = try await whole(name) else { return false }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        let partial = folder.appendingPathComponent(".\(UUID().uuidString).fetched").path
        defer { unlink(partial) }
        try await onDisk { try Data().write(to: URL(fileURLWithPath: partial), options: .withoutOverwriting) }
        var (hash, number, size) = (SHA256(), 0, 0)
        while size < found.bytes {
            guard let bytes = try await bytes(number, of: name), !bytes.isEmpty else {
                // It may have been withdrawn meanwhile.
                guard try await whole(name) == nil else {
                    throw GalleryError.storage("\(name): expected \(found.bytes) bytes in pieces, found \(size)")
                }
                return false
            }
            hash.update(data: bytes)
            try await onDisk {
                let file = try FileHandle(forWritingTo: URL(fileURLWithPath: partial))
                defer { try? file.close() }
                try file.seekToEnd()
                try file.write(contentsOf: bytes)
            }
            (number, size) = (number + 1, size + bytes.count)
        }
        let digest = hash.finalize().hexadecimal
        guard digest == found.digest else {
            throw GalleryError.storage("\(name): expected the digest \(found.digest), found \(digest)")
        }
        try await onDisk { try DurableFile.move(partial, to: path) }
        return true
    }

    private func whole(_ name: String) async throws -> SharedFile? {
        try await all().first { $0.name == name && $0.state == .whole }
    }

    private func bytes(_ number: Int, of name: String) async throws -> Data? {
        try await transact { db in
            try db.value(Data.self, "SELECT bytes FROM shared_piece WHERE name = ? AND number = ?", [name, number])
        }
    }

    private func onDisk(_ work: @escaping @Sendable () throws -> Void) async throws {
        do {
            try await threads.run(work)
        } catch let error as FileError {
            throw GalleryError(error)
        } catch let error as CocoaError {
            throw error.code == .fileWriteOutOfSpace ? GalleryError.full : .storage("\(error.localizedDescription)")
        } catch {
            throw GalleryError.translated(error)
        }
    }

    func withdraw(_ name: String) async throws {
        try await transact { db in
            try db.execute(
                """
                INSERT INTO shared_file VALUES (?, 'gone', 0, '', \(PostgreSQLSchema.now))
                ON CONFLICT (name) DO UPDATE SET state = 'gone', changed_at = excluded.changed_at
                """, [name])
            try db.execute("DELETE FROM shared_piece WHERE name = ?", [name])
        }
    }

    func forget(_ name: String) async throws {
        try await transact { db in _ = try db.execute("DELETE FROM shared_file WHERE name = ?", [name]) }
    }
}
