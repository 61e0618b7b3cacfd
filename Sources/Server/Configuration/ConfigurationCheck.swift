import Foundation
import Logging

extension ServerConfiguration {
    /// Looks whether a server could start with this, without listening and without opening a database: whether limits agree,
    /// files are where they should be, and the certificate and its key are a pair.
    ///
    /// - Parameter logger: told of what is no reason not to start.
    /// - Throws: `ServerError.configuration`, naming the key.
    public func check(_ logger: Logger) throws(ServerError) {
        try validate()
        _ = try ServerCertificate.read(self, logger)
        // What is in a database of a server is known once it is asked.
        let isFirst = !isElsewhere && !FileManager.default.fileExists(atPath: database)
        if isElsewhere {
            // Made if it is not there.
            let folder = URL(fileURLWithPath: modelsFolder).deletingLastPathComponent().path
            try Self.require(.folder, folder, "models")
        } else if isFirst {
            // The database is made, and the models' folder beside it.
            let folder = URL(fileURLWithPath: database).deletingLastPathComponent().path
            try Self.require(.folder, folder, "database")
            guard !checkpoint.isEmpty else {
                throw .configuration(
                    "checkpoint: expected a model to begin with, as there is no database at \(database), found nothing")
            }
        } else {
            try Self.require(.file, database, "database")
        }
        // With a database, the model that was active last answers.
        if isFirst || !checkpoint.isEmpty { try Self.require(.file, checkpoint, "checkpoint") }
        if let authorities = openID?.caFile { try Self.require(.file, authorities, "openid.ca_file") }
        if FileManager.default.fileExists(atPath: modelsFolder) {
            try Self.require(.folder, modelsFolder, "models")
        }
    }

    private enum Kind: String {
        case file, folder
    }

    private static func require(_ kind: Kind, _ path: String, _ key: String) throws(ServerError) {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        guard exists, isFolder.boolValue == (kind == .folder), FileManager.default.isReadableFile(atPath: path) else {
            let found = exists ? (isFolder.boolValue ? "a folder" : "a file") : "none"
            throw .configuration("\(key): expected a \(kind.rawValue) that can be read, found \(found) at \(path)")
        }
    }
}
