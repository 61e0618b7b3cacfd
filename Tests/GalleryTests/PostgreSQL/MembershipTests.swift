import DatabaseFixtures
import Foundation
import Gallery
import Synchronization
import Testing

@Suite(
    "Members of one database",
    .enabled(if: PostgreSQLServer.isInstalled, "PostgreSQL is not installed: apt-get install postgresql"))
struct MembershipTests {
    private func leaders(_ stores: [GalleryStore]) -> Int { stores.count(where: \.isLeader) }

    @Test("Who is there is told, and one of them leads; when it ends another does")
    func ending() async throws {
        try await withServers(3) { stores, _ in
            let members = try await stores[1].members()
            #expect(members.map(\.name) == ["server 0", "server 1", "server 2"] && members.allSatisfy(\.isLive))
            #expect(members.map(\.isLeader) == [true, false, false])
            try await eventually("the first does not lead") { stores.map(\.isLeader) == [true, false, false] }
            let told = Mutex(0)
            for store in stores {
                store.observe { news in if news == .leadership { told.withLock { $0 += 1 } } }
            }
            try await stores[0].close()
            try await eventually("nobody leads") { leaders(stores) == 1 }
            #expect(told.withLock { $0 } >= 2 && !stores[0].isLeader)
            #expect(try await stores[1].members().map(\.name) == ["server 1", "server 2"])
        }
    }

    @Test("A leader whose connection is cut is none, and lets another lead")
    func cut() async throws {
        try await withServers { stores, database in
            try await eventually("the first does not lead") { stores[0].isLeader }
            try database.cut(leader: true)
            try await eventually("nobody has taken the lead") {
                #expect(leaders(stores) < 2)
                return stores[1].isLeader
            }
            // By now the first might try again.
            try await Task.sleep(for: .seconds(4))
            try await eventually("the lead was lost again") { stores[1].isLeader && leaders(stores) == 1 }
            #expect(try await stores[0].members().filter(\.isLeader).map(\.name) == ["server 1"])
        }
    }

    @Test("A connection that writes and is cut is made anew, and what was acknowledged is in every index once")
    func writers() async throws {
        try await withServers { stores, database in
            let acknowledged = try await withThrowingTaskGroup(of: String?.self) { group in
                for worker in 0..<4 {
                    for number in 0..<25 {
                        group.addTask {
                            let name = "i\(worker)-\(number)"
                            let one = Enrolment(identity: name, embeddings: [embedding([1, Float(number)])])
                            do { _ = try await stores[worker % 2].enrol(one, in: "g") } catch is GalleryError {
                                return nil
                            }
                            return name
                        }
                    }
                }
                group.addTask {
                    for _ in 0..<6 {
                        try database.cut(leader: false)
                        try await Task.sleep(for: .milliseconds(30))
                    }
                    return nil
                }
                return try await group.reduce(into: Set<String>()) { names, name in name.map { _ = names.insert($0) } }
            }
            #expect(acknowledged.count > 60)
            let kept = try await stores[0].identities(in: "g", PageRequest(limit: 1000)).items
            #expect(acknowledged.isSubset(of: kept.map(\.id)) && kept.allSatisfy { $0.sightings == 1 })
            for store in stores {
                try await eventually("not all is in the index") {
                    (try? await store.indexContents(of: "g", model: "m").count) == kept.count
                }
            }
        }
    }

    @Test("What a member erases the leader deletes")
    func erasure() async throws {
        try await withServers(2, { $0.pieceBytes = 1 }) { stores, database in
            for number in 0..<30 {
                let image = KeptImage(modality: "rgb", contentType: "image/png", bytes: Data(count: 5000))
                let one = Enrolment(
                    identity: "i", images: [image], embeddings: [embedding([1, Float(number)])])
                _ = try await stores[1].enrol(one, in: "g")
            }
            #expect(!stores[1].isLeader)
            try await stores[1].deleteIdentity("i", in: "g")
            try await stores[1].waitUntilErased()
            #expect(try database.run("SELECT COUNT(*) FROM sighting") == "0")
        }
    }

    @Test("Changes are forgotten once all have followed them, by those who are there")
    func trimming() async throws {
        try await withServers(2, { $0.keptChanges = .zero }) { stores, database in
            for number in 0..<20 {
                let one = Enrolment(identity: "i\(number)", embeddings: [embedding([1, Float(number)])])
                _ = try await stores[number % 2].enrol(one, in: "g")
            }
            try await stores.meet()
            try await eventually("nothing was forgotten") {
                try database.run("SELECT COUNT(*) FROM change_log") == "0"
            }
            #expect(try database.run("SELECT log_floor = commits FROM total") == "t")
            let one = Enrolment(identity: "later", embeddings: [embedding([1, 0])])
            _ = try await stores[0].enrol(one, in: "g")
            try await stores.meet()
            #expect(try await stores[1].indexContents(of: "g", model: "m").count == 21)
        }
    }

    @Test(
        "A member of which nothing was heard for some seconds is there if its connection is, and gone if that has ended"
    )
    func connected() async throws {
        try await withServers { stores, database in
            let own = try #require(stores[1].sharedLedger?.member)
            let ids = [own, UUID().uuidString]
            let seen = "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint) - 6000"
            try database.run("INSERT INTO member VALUES ('\(ids[1])', 'killed', 0, 0, 0, 0)")
            try await eventually("only the one that is connected is there") {
                // As if both had said nothing since; the first says more each second.
                try database.run("UPDATE member SET last_seen = \(seen) WHERE id IN ('\(ids[0])', '\(ids[1])')")
                let members = try await stores[0].members().filter { $0.lastSeen < Date() - 3 && ids.contains($0.id) }
                return members.map(\.isLive) == [false, true] && members.map(\.id) == [ids[1], ids[0]]
            }
        }
    }

    @Test("A member that says nothing keeps changes for a while, and one that is gone does not")
    func silent() async throws {
        try await withServers(1, { $0.keptChanges = .zero }) { stores, database in
            let id = UUID().uuidString
            let now = "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)"
            try database.run("INSERT INTO member VALUES ('\(id)', 'slow', 0, \(now) - 20000, 0, 0)")
            _ = try await stores[0].enrol(Enrolment(identity: "i", embeddings: [embedding([1, 0])]), in: "g")
            #expect(try await stores[0].members().map(\.isLive) == [false, true])
            try await Task.sleep(for: .seconds(7))
            #expect(try database.run("SELECT COUNT(*) > 0 FROM change_log") == "t")
            try database.run("UPDATE member SET last_seen = last_seen - 60000 WHERE name = 'slow'")
            try await eventually("nothing was forgotten") {
                try database.run("SELECT COUNT(*) FROM change_log") == "0"
            }
        }
    }
}
