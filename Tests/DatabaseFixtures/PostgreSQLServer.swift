import Foundation
import Synchronization

/// A PostgreSQL server of the tests' own, in a temporary folder: started by the first test that wants it, and ended with the process,
/// however that ends.
package struct PostgreSQLServer: Sendable {
    /// Where its socket and its files are.
    package let folder: String
    /// On loopback, where it wants the password "secret".
    package let port: Int
    /// Held open: the script that watches the server takes orders by it, and ends the server when it is closed.
    private let life: FileHandle
    private let answers: FileHandle
    private let programs: String

    /// Of the newest version that is installed, where Debian puts it.
    private static let installed: String? = {
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root))?.compactMap(Int.init) ?? []
        return versions.filter { $0 >= 15 && FileManager.default.fileExists(atPath: "\(root)/\($0)/bin/initdb") }.max()
            .map { "\(root)/\($0)/bin" }
    }()

    /// One with the extension pgvector: in the folder that TRIPTYCH_TEST_PGVECTOR names, or the one that is installed.
    private static let withVectors: String? = {
        let named = ProcessInfo.processInfo.environment["TRIPTYCH_TEST_PGVECTOR"]
        return [named, installed].compactMap { $0 }.first { programs in
            [
                "\(programs)/../share/extension", programs.replacing("/lib/", with: "/share/") + "/../extension",
            ].contains { FileManager.default.fileExists(atPath: "\($0)/vector.control") }
        }
    }()

    package static var isInstalled: Bool { installed != nil }
    package static var hasVectors: Bool { withVectors != nil }

    private static let running = Mutex<[String: PostgreSQLServer]>([:])
    private static let count = Mutex(0)

    /// The one of this process.
    package static func shared(withVectors: Bool = false) throws -> PostgreSQLServer {
        guard let programs = withVectors ? Self.withVectors : installed else {
            throw Failure(reason: "PostgreSQL \(withVectors ? "with pgvector " : "")is not installed")
        }
        return try running.withLock { running in
            if let running = running[programs] { return running }
            let server = try start(programs)
            running[programs] = server
            if withVectors { try server.run("CREATE EXTENSION vector SCHEMA public") }
            return server
        }
    }

    /// One that a test has alone, and may stop.
    package static func alone() throws -> PostgreSQLServer {
        guard let installed else { throw Failure(reason: "PostgreSQL is not installed") }
        return try start(installed)
    }

    /// Ends it as a crash would, or has it begin again; returns when that is done.
    package func order(_ order: Order) throws {
        try life.write(contentsOf: Data("\(order.rawValue)\n".utf8))
        guard !answers.availableData.isEmpty else { throw Failure(reason: "PostgreSQL did not \(order.rawValue)") }
    }

    package enum Order: String { case stop, start }

    /// The address of an empty database: a schema of its own in the server's one.
    package static func makeDatabase(withVectors: Bool = false) throws -> String {
        let server = try shared(withVectors: withVectors)
        let number = count.withLock { count in
            count += 1
            return count
        }
        try server.run("CREATE SCHEMA test_\(number)")
        return server.address(schema: "test_\(number)")
    }

    package func address(
        schema: String = "public", database: String = "postgres", user: String = "triptych"
    ) -> String {
        "postgresql:///\(database)?host=\(folder)&user=\(user)&options=-csearch_path%3D\(schema)"
    }

    /// Runs statements as another program would, and gives their answer.
    @discardableResult package func run(_ sql: String, in database: String = "postgres") throws -> String {
        let client = Process()
        client.executableURL = URL(fileURLWithPath: "\(programs)/psql")
        client.arguments = [
            "--quiet", "--no-psqlrc", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1", "--host", folder,
            "--username", "triptych", "--command", sql, database,
        ]
        let output = Pipe()
        client.standardOutput = output
        try client.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        client.waitUntilExit()
        guard client.terminationStatus == 0 else { throw Failure(reason: "psql failed: \(sql)") }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Why there is no server.
    struct Failure: Error { let reason: String }

    private static func start(_ programs: String) throws -> PostgreSQLServer {
        let port = try freePort()
        let watcher = Process()
        watcher.executableURL = URL(fileURLWithPath: "/bin/sh")
        watcher.arguments = ["-c", script, "sh", programs, "\(port)"]
        let (input, output) = (Pipe(), Pipe())
        (watcher.standardInput, watcher.standardOutput) = (input, output)
        try watcher.run()
        let folder = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        guard folder.hasPrefix("/") else { throw Failure(reason: "PostgreSQL did not start") }
        return PostgreSQLServer(
            folder: folder, port: port, life: input.fileHandleForWriting, answers: output.fileHandleForReading,
            programs: programs)
    }

    /// It refuses to be root. Nothing is flushed to a disk: the tests are not about that.
    private static let script = """
        programs=$1 port=$2
        folder=$(mktemp -d /tmp/triptych-postgresql.XXXXXX)
        if [ "$(id -u)" = 0 ]; then
            user=postgres; id -u "$user" >/dev/null 2>&1 || user=nobody
            chown "$user" "$folder"; as="setpriv --reuid $user --regid $(id -g "$user") --clear-groups"
        fi
        cd "$folder"
        printf secret >"$folder/password" && chmod 644 "$folder/password"
        $as "$programs/initdb" --pgdata "$folder/data" --username triptych --encoding UTF8 --locale C.UTF-8 --no-sync \
            --auth-local trust --auth-host scram-sha-256 --pwfile "$folder/password" >"$folder/log" 2>&1 || exit 1
        start() {
            $as "$programs/postgres" -D "$folder/data" -k "$folder" -p "$port" -c listen_addresses=127.0.0.1 -c fsync=off \
                -c max_connections=300 -c shared_buffers=64MB </dev/null >>"$folder/log" 2>&1 &
            server=$!
            for try in $(seq 600); do
                "$programs/pg_isready" -q -h "$folder" -p "$port" && break
                sleep 0.1
            done
        }
        stop() { kill -QUIT $server; wait $server; }
        start
        ln -s ".s.PGSQL.$port" "$folder/.s.PGSQL.5432"
        echo "$folder"
        while read -r order; do
            $order
            echo done
        done
        stop
        rm -rf "$folder"
        """

    private static func freePort() throws -> Int {
        let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        guard isBound else { throw Failure(reason: "no port is free") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
