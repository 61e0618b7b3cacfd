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

        /// The nice values of a process's threads (proc(5), `stat`), that of its first one first.
        private func niceValues(_ process: RunningCommand) throws -> [Int] {
            let folder = "/proc/\(process.identifier)/task"
            let threads = try FileManager.default.contentsOfDirectory(atPath: folder).compactMap(Int.init).sorted()
            return threads.compactMap { thread in
                guard let stat = try? String(contentsOfFile: "\(folder)/\(thread)/stat", encoding: .utf8),
                    let end = stat.lastIndex(of: ")")
                else { return nil }
                return Int(stat[end...].split(separator: " ")[17])
            }
        }

        @Test("a model that is prepared gives way to requests, and passes its low priority on to no other thread")
        func background() async throws {
            let world = try await World()
            try await world.train(seed: 2, into: "other")
            var environment = ProcessInfo.processInfo.environment
            environment["OMP_NUM_THREADS"] = "2"
            let (server, port) = try await world.triptych.serve(
                "--checkpoint", world.model, "--database", world.database, environment: environment)
            let address = "http://127.0.0.1:\(port)"
            try await world.triptych.succeed("enroll", "--server", address, "--gallery", "g", "--data", world.data)
            for model in [world.folder.path("other/model.safetensors"), world.model] {
                try await world.triptych.succeed("publish", model, "--server", address, "--activate", "--wait")
                try await world.triptych.succeed("query", "--server", address, "--gallery", "g", "--data", world.data)
            }
            // The background thread, and the other one of its team. If the tests run at this priority, all have it.
            let values = try niceValues(server)
            #expect(values[0] >= 10 || (1...2).contains(values.count { $0 == 10 }), "\(values)")
            server.send(SIGTERM)
            #expect(try await server.result().status == 0)
        }
    }
#endif
