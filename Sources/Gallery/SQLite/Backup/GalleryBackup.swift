import Documents
import Foundation
import GRDB

/// A folder with a consistent copy of a database and of its models: `gallery.sqlite`, `models/`, and `backup.json`, which says
/// what they are. All are for their owner alone. What has not changed since the last time is not copied again.
public struct GalleryBackup: Sendable {
    /// What a folder holds.
    public struct Manifest: Codable, Sendable, Equatable {
        /// A model's file.
        public struct Model: Codable, Sendable, Equatable {
            /// Its name.
            public let file: String
            /// SHA-256 of its bytes, in hexadecimal.
            public let digest: String
            /// Its size.
            public let bytes: Int
        }

        /// Of the folder's form: 1.
        public var version = 1
        /// When it was written.
        public var createdAt: Date
        /// How many transactions the database had seen.
        public var commits: Int64
        /// SHA-256 of the database's copy, in hexadecimal.
        public var database: String
        /// How many sightings it has.
        public var sightings: Int
        /// By file.
        public var models: [Model]
    }

    /// What was done.
    public struct Outcome: Sendable {
        /// What the folder holds now.
        public let manifest: Manifest
        /// Whether the database had changed.
        public let copiesDatabase: Bool
        /// How many models were new.
        public let models: Int
    }

    /// Where it is.
    public let folder: String

    /// A backup in a folder, which need not exist yet.
    public init(folder: String) { self.folder = folder }

    var database: String { "\(folder)/gallery.sqlite" }
    var models: String { "\(folder)/models" }
    private var manifestPath: String { "\(folder)/backup.json" }

    /// Copies a database, which a server may have open, and the models' folder beside it. Everything is verified before the
    /// manifest is written, and each file takes its name when it is whole, so that a backup that was cut off is the one before
    /// it, or says that it is broken.
    ///
    /// - Parameters:
    ///   - path: the database.
    ///   - source: the folder of models; it need not exist.
    ///   - progress: told what is copied.
    /// - Throws: `GalleryError`.
    public func make(of path: String, models source: String, progress: (String) -> Void = { _ in }) throws -> Outcome {
        try GalleryError.translating {
            try Self.makeFolder(folder)
            let known = try? manifest()
            guard FileManager.default.fileExists(atPath: path) else {
                throw GalleryError.storage("\(path): no such file")
            }
            var options = Configuration()
            options.readonly = true
            options.busyMode = .timeout(10)
            let queue = try DatabaseQueue(path: path, configuration: options)
            defer { try? queue.close() }
            let (digest, commits, sightings, copies) = try queue.read { db in
                try Schema.inspect(db)
                let counts = try Row.only(db, "SELECT commits, sightings FROM total", [])
                let (commits, sightings): (Int64, Int) = (counts[0], counts[1])
                if let known, known.commits == commits, (try? FileDigest.of(database)) == known.database {
                    return (known.database, commits, sightings, false)
                }
                progress("copying \(path)")
                try DatabaseFiles.copy(db, to: database)
                return (try FileDigest.of(database), commits, sightings, true)
            }
            if copies { try verifyDatabase() }
            let (files, copied) = try copyModels(from: source, known?.models ?? [], progress)
            let manifest = Manifest(
                createdAt: Date(), commits: commits, database: digest, sightings: sightings, models: files)
            try DurableFile.write(Self.encoder.encode(manifest), to: manifestPath)
            chmod(manifestPath, 0o600)
            return Outcome(manifest: manifest, copiesDatabase: copies, models: copied)
        }
    }

    /// Checks that everything is there and is what it was. Throws `GalleryError.storage` with what is not.
    @discardableResult public func verify() throws -> Manifest {
        try GalleryError.translating {
            let manifest = try manifest()
            guard try FileDigest.of(database) == manifest.database else {
                throw GalleryError.storage("\(database) is not the file that was written")
            }
            try verifyDatabase()
            for model in manifest.models where try FileDigest.of("\(models)/\(model.file)") != model.digest {
                throw GalleryError.storage("\(models)/\(model.file) is not the file that was written")
            }
            return manifest
        }
    }

    private func manifest() throws -> Manifest {
        guard let data = FileManager.default.contents(atPath: manifestPath) else {
            throw GalleryError.storage("\(folder) is no backup: there is no backup.json that can be read")
        }
        do {
            let manifest = try Self.decoder.decode(Manifest.self, from: data)
            guard manifest.version == 1 else {
                throw GalleryError.storage("\(manifestPath): version \(manifest.version), this release reads 1")
            }
            return manifest
        } catch let error as DecodingError {
            throw GalleryError.storage("\(manifestPath): \(error)")
        }
    }

    private func verifyDatabase() throws {
        var options = Configuration()
        options.readonly = true
        let queue = try DatabaseQueue(path: database, configuration: options)
        defer { try? queue.close() }
        try queue.read { db in
            try Schema.inspect(db)
            let findings = try String.fetchAll(db, sql: "PRAGMA integrity_check")
            guard findings == ["ok"] else {
                throw GalleryError.storage("\(database): \(findings.prefix(3).joined(separator: "; "))")
            }
        }
    }

    private func copyModels(
        from source: String, _ known: [Manifest.Model], _ progress: (String) -> Void
    ) throws -> ([Manifest.Model], Int) {
        try Self.makeFolder(models)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: source)) ?? []
        var (files, copied) = ([Manifest.Model](), 0)
        for name in names.sorted() where name.hasSuffix(".safetensors") {
            let digest = try FileDigest.of("\(source)/\(name)")
            if known.first(where: { $0.file == name })?.digest != digest
                || (try? FileDigest.of("\(models)/\(name)")) != digest
            {
                progress("copying \(name)")
                try FileDigest.copy("\(source)/\(name)", to: "\(models)/\(name)", expecting: digest)
                copied += 1
            }
            let bytes = try FileManager.default.attributesOfItem(atPath: "\(models)/\(name)")[.size] as? Int
            files.append(Manifest.Model(file: name, digest: digest, bytes: bytes ?? 0))
        }
        let wanted = Set(files.map(\.file))
        for name in try FileManager.default.contentsOfDirectory(atPath: models) where !wanted.contains(name) {
            unlink("\(models)/\(name)")
        }
        return (files, copied)
    }

    private static func makeFolder(_ path: String) throws(GalleryError) {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        throw .storage("\(path): \(String(cString: strerror(errno)))")
    }

    private static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.dateEncodingStrategy = .iso8601
        return encoder
    }

    private static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        decoder.dateDecodingStrategy = .iso8601
        return decoder
    }
}
