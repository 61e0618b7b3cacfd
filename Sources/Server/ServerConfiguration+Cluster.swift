import Documents
import Foundation

extension ServerConfiguration {
    /// What a server is told that has its gallery together with others.
    public struct Cluster: Sendable, Equatable {
        /// What others call this server.
        public var name = ProcessInfo.processInfo.hostName
        /// Seconds that a request waits until the index holds what it insists on: 503.
        public var sequenceSeconds = 5

        /// The defaults.
        public init() {}
    }

    /// Throws `ServerError.configuration` for a database that servers cannot share.
    func validateCluster() throws(ServerError) {
        guard cluster == nil || isElsewhere else {
            throw .configuration(
                "cluster: expected the postgresql:// address of a database to share, found \(database)")
        }
    }
}

extension ServerConfiguration.Cluster {
    /// Throws `DocumentError`.
    init?(_ fields: inout Fields) throws {
        guard var section = try fields.object("cluster") else { return nil }
        try section.read("name", .string, into: &name)
        guard (1...100).contains(name.utf8.count) else {
            throw section.invalid("name", "1 to 100 bytes", .string(name))
        }
        try section.read("sequence_seconds", .integer(0...600), into: &sequenceSeconds)
        try section.finish()
    }
}
