import Foundation

/// What keeps a gallery in a test.
package enum DatabaseEngine: String, Sendable, CaseIterable {
    case sqlite, postgresql
    /// PostgreSQL whose vectors are searched by pgvector.
    case pgvector

    /// Those that can be had here: PostgreSQL, and pgvector, where they are installed. `TRIPTYCH_TEST_ENGINE` names one alone.
    package static let all: [DatabaseEngine] = {
        let wanted = ProcessInfo.processInfo.environment["TRIPTYCH_TEST_ENGINE"].flatMap(DatabaseEngine.init)
        return allCases.filter { wanted == nil || $0 == wanted }.filter {
            switch $0 {
            case .sqlite: true
            case .postgresql: PostgreSQLServer.isInstalled
            case .pgvector: PostgreSQLServer.hasVectors
            }
        }
    }()

    /// What a test of something else runs on.
    package static var one: DatabaseEngine { all.first ?? .sqlite }

    /// Those that hold vectors in memory: evaluations and maps want that.
    package static var holdingVectors: [DatabaseEngine] {
        let holding = all.filter { $0 != .pgvector }
        return holding.isEmpty ? [.sqlite] : holding
    }

    /// Servers have so many connections; so only a few tests have a database of theirs at the same time.
    private static let turns = Turnstile(most: 6)

    /// Runs a part of a test, when it is its turn.
    package func taking(_ body: () async throws -> Void) async throws {
        if self == .sqlite { return try await body() }
        await Self.turns.enter()
        do {
            try await body()
        } catch {
            await Self.turns.leave()
            throw error
        }
        await Self.turns.leave()
    }
}

/// Lets so many in at the same time, in the order in which they came.
private actor Turnstile {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(most: Int) { free = most }

    func enter() async {
        if free > 0 {
            free -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func leave() {
        if waiting.isEmpty {
            free += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}
