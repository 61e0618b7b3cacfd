import Foundation
import Gallery
import Inference

/// A checkpoint that was read, and the file that it was read from.
struct CheckpointFile: Sendable {
    let url: URL
    let checkpoint: Checkpoint
    private let state: FileState

    /// Reads a file. Blocks. Throws `CheckpointError`.
    init(path: String) throws {
        url = URL(fileURLWithPath: path)
        // Before it is read: a change while it is read must show.
        state = FileState(url)
        checkpoint = try Checkpoint.load(path: path)
    }

    /// Whether the file is still the one that was read.
    var isUnchanged: Bool { FileState(url) == state }
}

/// What tells that a file has changed.
struct FileState: Equatable {
    let bytes: Int
    /// Nanoseconds since 1970.
    let modifiedAt: Int64

    init(_ record: CheckpointRecord) { (bytes, modifiedAt) = (record.bytes, record.modifiedAt) }

    /// −1 for a file that is not there.
    init(_ url: URL) {
        var status = stat()
        guard stat(url.path, &status) == 0 else {
            (bytes, modifiedAt) = (-1, -1)
            return
        }
        bytes = Int(status.st_size)
        modifiedAt = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    }
}
