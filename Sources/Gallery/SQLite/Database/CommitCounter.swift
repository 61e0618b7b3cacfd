import Foundation
import GRDB
import Synchronization

/// How many transactions were committed, in the database and in a file beside it: a database whose log was lost, or that an
/// older one has replaced, counts fewer than the file.
///
/// The file is written after the commit and not flushed, so with the power it may lose what the database has, and never the
/// other way round.
final class CommitCounter: Sendable {
    /// How many transactions the file knows of that the database does not, when it was opened.
    let lost: Int
    /// nil if there can be no file; then nothing is noticed.
    private let descriptor: Int32?
    private let written: Mutex<Int64>

    init(_ files: DatabaseFiles, _ db: Database) throws {
        let count: Int64 = try Row.only(db, "SELECT commits FROM total", [])[0]
        let file = open(files.path + "-commits", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        descriptor = file < 0 ? nil : file
        var known: Int64 = 0
        let size = file < 0 ? 0 : pread(file, &known, 8, 0)
        lost = size == 8 ? max(0, Int(Int64(littleEndian: known) - count)) : 0
        written = Mutex(count)
    }

    deinit { if let descriptor { close(descriptor) } }

    /// The last transaction that was counted and committed.
    var last: Int64 { written.withLock { $0 } }

    /// Counts the transaction in which it is called, and gives its number.
    func count(_ db: Database) throws -> Int64 {
        let counted = try Int64.fetchOne(
            db.cachedStatement(sql: "UPDATE total SET commits = commits + 1 RETURNING commits"))
        guard let count = counted else { throw GalleryError.storage("the row that counts transactions is missing") }
        db.afterNextTransaction { [weak self] _ in self?.store(count) }
        return count
    }

    private func store(_ count: Int64) {
        written.withLock { written in
            written = max(written, count)
            guard let descriptor else { return }
            var bytes = written.littleEndian
            _ = pwrite(descriptor, &bytes, 8, 0)
        }
    }
}
