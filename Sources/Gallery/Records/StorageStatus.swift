import Foundation

/// What a database takes on its disk, in bytes.
public struct StorageStatus: Equatable, Sendable {
    /// The database's file.
    public let database: Int
    /// Its log: transactions that are not in that file yet.
    public let log: Int
    /// What the file system has left for them; nil where that is not known.
    public let free: Int?
}

/// How much is in a gallery; what was erased counts until it is deleted.
public struct GalleryTally: Equatable, Sendable {
    /// The gallery's name.
    public let gallery: String
    /// How many identities it has.
    public let identities: Int
    /// How many sightings they have.
    public let sightings: Int
}

extension DatabaseFiles {
    /// As the file system says now; 0 for what cannot be read.
    var storage: StorageStatus {
        let bytes = { (path: String) in
            var status = stat()
            return stat(path, &status) == 0 ? Int(status.st_size) : 0
        }
        return StorageStatus(database: bytes(path), log: bytes(path + "-wal"), free: freeBytes)
    }
}
