import Foundation
import Testing
import Yams

@Suite("Roles")
struct AccessTableTests {
    private static let roles = ["read", "enrol", "admin"]

    /// The role that the contract says an operation takes; nil for none.
    private func declared() async throws -> [String: String?] {
        var found: [String: String?] = [:]
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("openapi.yaml"), encoding: .utf8)
        let document = try #require(try Yams.load(yaml: text) as? [String: Any])
        for (path, item) in try #require(document["paths"] as? [String: [String: Any]]) {
            for (method, operation) in item {
                guard let operation = operation as? [String: Any] else { continue }
                let security = try #require(operation["security"] as? [[String: [String]]], "\(method) \(path)")
                found["\(method.uppercased()) \(path)"] = .some(security.first?["key"]?.first)
            }
        }
        return found
    }

    @Test("each operation is refused to the roles below the contract's, and to nobody else")
    func walk() async throws {
        let declared = try await declared()
        try await TestServer.run { server in
            let admin = try await server.key("admin")
            var tokens: [String: String] = ["admin": admin]
            for role in ["read", "enrol"] { tokens[role] = try await server.key(role, by: admin) }
            let operations = server.routes.filter { !$0.hasPrefix("HEAD ") }
            #expect(operations.count > 40 && Set(operations) == Set(declared.keys))
            for operation in operations {
                let parts = operation.split(separator: " ").map(String.init)
                let path = parts[1].replacing(/\{[a-z]+\}/, with: "nothing")
                let needed = try #require(declared[operation])
                if path == "/v1/events" { continue }  // Has no end: EventStreamTests.
                if ["/", "/console"].contains(path) { continue }  // The test client would follow them: ConsoleTests.
                let nobody = try await server.send(parts[0], path)
                #expect((nobody.status == 401) == (needed != nil), "\(operation)")
                for (rank, role) in Self.roles.enumerated() {
                    let answer = try await server.send(parts[0], path, key: tokens[role])
                    let isRefused = answer.problem == "role-too-low"
                    let rankNeeded = needed.flatMap(Self.roles.firstIndex) ?? 0
                    #expect(isRefused == (rank < rankNeeded), "\(operation) as \(role): \(answer.status)")
                }
            }
        }
    }
}
