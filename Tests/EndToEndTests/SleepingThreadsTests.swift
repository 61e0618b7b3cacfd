import Foundation
import FoundationNetworking
import Testing

/// What /proc says of a process is Linux's.
#if os(Linux)
    @Suite("End to end: a server's threads")
    struct SleepingThreadsTests {
        /// The variables of a running process that say how OpenMP's threads wait.
        private func policies(_ process: RunningCommand) throws -> [String] {
            let data = try Data(contentsOf: URL(fileURLWithPath: "/proc/\(process.identifier)/environ"))
            return data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
                .filter { $0.hasPrefix("OMP_WAIT_POLICY=") || $0.hasPrefix("GOMP_SPINCOUNT=") }
        }

        @Test(
            "they sleep while they wait unless told otherwise; the process keeps its number and name, and ends on SIGTERM",
            arguments: [
                ([], ["OMP_WAIT_POLICY=passive"]), (["OMP_WAIT_POLICY=active"], ["OMP_WAIT_POLICY=active"]),
                (["GOMP_SPINCOUNT=9"], ["GOMP_SPINCOUNT=9"]),
            ] as [([String], [String])])
        func sleeping(given: [String], expected: [String]) async throws {
            let world = try await World()
            var environment = ProcessInfo.processInfo.environment
            environment["OMP_WAIT_POLICY"] = nil
            for variable in given.map({ $0.split(separator: "=") }) {
                environment[String(variable[0])] = String(variable[1])
            }
            let (server, port) = try await world.triptych.serve(
                "--checkpoint", world.model, "--database", world.database, environment: environment)
            #expect(try policies(server) == expected)
            let name = try String(contentsOfFile: "/proc/\(server.identifier)/comm", encoding: .utf8)
            #expect(name == "triptych\n")
            let url = try #require(URL(string: "http://127.0.0.1:\(port)/readyz"))
            let (_, response) = try await URLSession.shared.data(from: url)
            #expect((response as? HTTPURLResponse)?.statusCode == 200)
            server.send(SIGTERM)
            #expect(try await server.result().status == 0)
        }
    }
#endif
