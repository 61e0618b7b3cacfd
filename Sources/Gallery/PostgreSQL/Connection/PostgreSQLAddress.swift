import CPQ
import Foundation

/// Where a PostgreSQL database is, and how it is reached.
struct PostgreSQLAddress: Sendable {
    /// Connection parameters (PostgreSQL, "Parameter Key Words").
    private let parameters: [String: String]

    /// Whether a database's name is such an address.
    static func isAddress(_ text: String) -> Bool {
        text.hasPrefix("postgresql://") || text.hasPrefix("postgres://")
    }

    /// Of a connection URI. What it leaves open is what is safe: a server whose certificate is verified, unless it is reached by a
    /// socket of this machine, and one that takes changes.
    ///
    /// Throws `GalleryError.invalid` for what is no URI, or has a password in it: others can read a command line, and a log.
    init(_ uri: String, environment: [String: String] = ProcessInfo.processInfo.environment) throws(GalleryError) {
        var parameters = try Self.parse(uri)
        guard parameters["password"] == nil else {
            throw .invalid(
                field: "database",
                expected:
                    "an address without a password, which comes from PGPASSWORD, or a file named by passfile= in the "
                    + "address or by PGPASSFILE", found: "one with a password")
        }
        let hosts = parameters["hostaddr"] ?? parameters["host"] ?? environment["PGHOST"]
        let isLocal = hosts?.split(separator: ",").allSatisfy { $0.hasPrefix("/") } ?? true
        for (name, variable, value) in Self.defaults
        where parameters[name] == nil && variable.flatMap({ environment[$0] }) == nil {
            if !isLocal || !name.hasPrefix("ssl") { parameters[name] = value }
        }
        self.parameters = parameters
    }

    /// With the variable of libpq that says the same. Debian's authorities stand in for a file of the user's own.
    private static let defaults: [(name: String, variable: String?, value: String)] = [
        ("sslmode", "PGSSLMODE", "verify-full"), ("sslrootcert", "PGSSLROOTCERT", "/etc/ssl/certs/ca-certificates.crt"),
        ("target_session_attrs", "PGTARGETSESSIONATTRS", "read-write"), ("connect_timeout", "PGCONNECT_TIMEOUT", "5"),
        ("keepalives_idle", nil, "5"), ("keepalives_interval", nil, "3"), ("keepalives_count", nil, "3"),
        ("tcp_user_timeout", nil, "10000"), ("application_name", "PGAPPNAME", "triptych"),
    ]

    private static func parse(_ uri: String) throws(GalleryError) -> [String: String] {
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(uri, &message) else {
            defer { PQfreemem(message) }
            let reason = message.map { String(cString: $0) } ?? "no memory"
            throw .invalid(
                field: "database", expected: "postgresql://USER@HOST[,HOST...]/NAME[?PARAMETERS]",
                found: "an address of which libpq says: \(reason.trimmingCharacters(in: .whitespacesAndNewlines))")
        }
        defer { PQconninfoFree(options) }
        var (parameters, option) = ([String: String](), options)
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { parameters[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        return parameters
    }

    /// For people to read, without secrets.
    var text: String {
        let hosts = parameters["host"]?.split(separator: ",", omittingEmptySubsequences: false) ?? ["localhost"]
        let ports = parameters["port"]?.split(separator: ",", omittingEmptySubsequences: false) ?? []
        let places = hosts.enumerated().map { index, host in
            let port = ports.count == hosts.count ? ports[index] : ports.first
            return host + (port.map { ":\($0)" } ?? "")
        }
        return "postgresql://\(places.joined(separator: ","))/\(parameters["dbname"] ?? parameters["user"] ?? "")"
    }

    /// A connection, which may have failed. Blocks for no longer than its timeouts.
    func connect() -> OpaquePointer? {
        let pairs = parameters.map { (strdup($0), strdup($1)) }
        defer {
            for (name, value) in pairs {
                free(name)
                free(value)
            }
        }
        let names = pairs.map { UnsafePointer($0.0) } + [nil]
        let values = pairs.map { UnsafePointer($0.1) } + [nil]
        return PQconnectdbParams(names, values, 0)
    }
}
