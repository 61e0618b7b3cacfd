import Foundation
import Gallery
import Testing

struct CorrectionTests {
    /// Sightings of a, b and c at growing angles, two each. Gives their identifiers.
    private func fill(_ store: GalleryStore) async throws -> [String] {
        _ = try await store.createIdentity("b", in: "g", label: "Bus", metadata: ["owner": "city"])
        var ids: [String] = []
        for number in 0..<6 {
            let angle = Float(number) * 0.1
            let enrolment = Enrolment(
                identity: ["a", "b", "c"][number / 2], embeddings: [embedding([cos(angle), sin(angle)])])
            ids.append(try await store.enrol(enrolment, in: "g").sighting.id)
        }
        return ids
    }

    /// Whose each sighting is, by the search and by the lists, which must agree; also in a store that is opened anew.
    private func owners(_ store: GalleryStore, _ ids: [String]) async throws -> [String] {
        let query = GalleryQuery(embedding: embedding([1, 0]), limit: 100, grouping: .sighting)
        let found = try await store.query(query, in: "g").matches
        var owners: [String] = []
        for id in ids {
            let record = try await store.sighting(id, in: "g")
            #expect(found.first { $0.sighting == id }?.identity == record.identity)
            var own = query
            own.filter.identities = [record.identity]
            #expect(try await store.query(own, in: "g").matches.contains { $0.sighting == id })
            owners.append(record.identity)
        }
        var grouped = query
        grouped.grouping = .identity
        #expect(Set(try await store.query(grouped, in: "g").matches.map(\.identity)) == Set(owners))
        for identity in Set(owners) {
            #expect(try await store.identity(identity, in: "g").sightings == owners.count { $0 == identity })
        }
        return owners
    }

    @Test("Each correction does what it says, and its undoing brings back what was")
    func each() async throws {
        try await withStore { store, directory in
            let ids = try await fill(store)
            let before = ["a", "a", "b", "b", "c", "c"]
            #expect(try await owners(store, ids) == before)
            let steps: [(Correction.Kind, [String], @Sendable () async throws -> Correction)] = [
                (.move, ["d", "a", "b", "b", "c", "c"], { try await store.moveSighting(ids[0], to: "d", in: "g") }),
                (.move, ["c", "a", "b", "b", "c", "c"], { try await store.moveSighting(ids[0], to: "c", in: "g") }),
                (.rename, ["x", "x", "b", "b", "c", "c"], { try await store.renameIdentity("a", to: "x", in: "g") }),
                (
                    .merge, ["a", "a", "a", "a", "a", "a"],
                    { try await store.mergeIdentities(["b", "c"], into: "a", in: "g") }
                ),
                (
                    .split, ["a", "a", "b", "n", "c", "c"],
                    { try await store.splitIdentity("b", sightings: [ids[3]], into: "n", in: "g") }
                ),
            ]
            for (kind, after, step) in steps {
                let correction = try await step()
                #expect(correction.kind == kind && correction.undoneAt == nil)
                #expect(try await owners(store, ids) == after)
                #expect(try await store.undoCorrection(correction.id, in: "g").undoneAt != nil)
                #expect(try await owners(store, ids) == before)
                await expectError(kind: "outdated") { try await store.undoCorrection(correction.id, in: "g") }
            }
            let bus = try await store.identity("b", in: "g")
            #expect(bus.label == "Bus" && bus.metadata == ["owner": "city"])
            #expect(try await store.identities(in: "g").items.map(\.id).sorted() == ["a", "b", "c"])
            #expect(try await store.corrections(in: "g").items.map(\.kind) == steps.map(\.0))
            let last = try await store.corrections(in: "g", PageRequest(limit: 2, isDescending: true))
            let earlier = try await store.corrections(
                in: "g", PageRequest(limit: 9, after: last.next, isDescending: true))
            #expect((last.items + earlier.items).map(\.kind) == steps.map(\.0).reversed() && earlier.next == nil)
            _ = try await store.mergeIdentities(["b"], into: "c", in: "g")
            try await store.close()
            let again = try await directory.open()
            #expect(try await owners(again, ids) == ["a", "a", "c", "c", "c", "c"])
            try await again.close()
            try await expectSound(directory)
        }
    }

    @Test("Corrections of the same sightings are undone from the last to the first")
    func order() async throws {
        try await withStore { store, _ in
            let ids = try await fill(store)
            let move = try await store.moveSighting(ids[0], to: "b", in: "g")
            let merge = try await store.mergeIdentities(["b"], into: "c", in: "g")
            let rename = try await store.renameIdentity("c", to: "d", in: "g")
            let more = try await store.renameIdentity("d", to: "e", in: "g")
            await expectError(kind: "outdated") { try await store.undoCorrection(move.id, in: "g") }
            await expectError(kind: "outdated") { try await store.undoCorrection(rename.id, in: "g") }
            #expect(try await owners(store, ids) == ["e", "a", "e", "e", "e", "e"])
            for correction in [more, rename, merge, move] {
                _ = try await store.undoCorrection(correction.id, in: "g")
            }
            #expect(try await owners(store, ids) == ["a", "a", "b", "b", "c", "c"])
        }
    }

    @Test("A name that was taken meanwhile is not taken away")
    func names() async throws {
        try await withStore { store, _ in
            let ids = try await fill(store)
            let merge = try await store.mergeIdentities(["b"], into: "c", in: "g")
            _ = try await store.createIdentity("b", in: "g")
            await expectError(.alreadyExists(.identity, "b")) { try await store.undoCorrection(merge.id, in: "g") }
            #expect(try await owners(store, ids) == ["a", "a", "c", "c", "c", "c"])
            await expectError(.alreadyExists(.identity, "b")) {
                try await store.renameIdentity("a", to: "b", in: "g")
            }
            await expectError(.alreadyExists(.identity, "b")) {
                try await store.splitIdentity("a", sightings: [ids[0]], into: "b", in: "g")
            }
        }
    }

    @Test("What is erased is erased from corrections too, and does not come back")
    func erasure() async throws {
        try await withStore { store, directory in
            let ids = try await fill(store)
            let merge = try await store.mergeIdentities(["b"], into: "c", in: "g")
            try await store.deleteSighting(ids[2], in: "g")
            #expect(try await store.undoCorrection(merge.id, in: "g").sightings == 1)
            await expectError(.notFound(.sighting, ids[2])) { try await store.sighting(ids[2], in: "g") }
            let move = try await store.moveSighting(ids[0], to: "n", in: "g")
            try await store.deleteSighting(ids[0], in: "g")
            await expectError(kind: "outdated") { try await store.undoCorrection(move.id, in: "g") }
            _ = try await store.renameIdentity("b", to: "planted-name", in: "g")
            let swallowed = try await store.mergeIdentities(["planted-name"], into: "c", in: "g")
            try await store.deleteIdentity("c", in: "g")
            await expectError(.notFound(.correction, swallowed.id)) {
                try await store.undoCorrection(swallowed.id, in: "g")
            }
            try await store.waitUntilErased()
            if directory.engine == .sqlite { #expect(try !directory.contains(Data("planted-name".utf8))) }
        }
    }

    @Test("Of two that move the same sighting at once, one comes last, and everything agrees")
    func concurrent() async throws {
        try await withStore { store, directory in
            let ids = try await fill(store)
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<40 {
                    group.addTask { _ = try? await store.moveSighting(ids[0], to: "t\(number % 3)", in: "g") }
                }
            }
            let owner = try await owners(store, ids)[0]
            #expect(["t0", "t1", "t2"].contains(owner))
            for correction in try await store.corrections(in: "g").items.reversed() {
                _ = try await store.undoCorrection(correction.id, in: "g")
            }
            #expect(try await owners(store, ids) == ["a", "a", "b", "b", "c", "c"])
        }
    }

    @Test("Bad corrections change nothing")
    func bad() async throws {
        try await withStore { store, _ in
            let ids = try await fill(store)
            await expectError(.notFound(.identity, "z")) {
                try await store.mergeIdentities(["b", "z"], into: "a", in: "g")
            }
            await expectError(kind: "invalid identities") {
                try await store.mergeIdentities(["a"], into: "a", in: "g")
            }
            await expectError(kind: "invalid identity") { try await store.moveSighting(ids[0], to: "a", in: "g") }
            await expectError(.notFound(.sighting, ids[4])) {
                try await store.splitIdentity("a", sightings: [ids[0], ids[4]], into: "n", in: "g")
            }
            await expectError(.notFound(.correction, "none")) { try await store.undoCorrection("none", in: "g") }
            #expect(try await owners(store, ids) == ["a", "a", "b", "b", "c", "c"])
            #expect(try await store.corrections(in: "g").items.isEmpty)
            #expect(try await store.identities(in: "g").items.map(\.id).sorted() == ["a", "b", "c"])
        }
    }

    @Test("Identities that resemble another come by their best pair of sightings, without itself")
    func similar() async throws {
        try await withStore { store, _ in
            let ids = try await fill(store)
            let found = try await store.identities(similarTo: "a", in: "g", model: "m")
            #expect(found.map(\.identity) == ["b", "c"])
            #expect(
                found[0].resembles == ids[1] && found[0].sighting == ids[2] && abs(found[0].score - cos(0.1)) < 1e-6)
            #expect(try await store.identities(similarTo: "a", in: "g", model: "m", limit: 1).count == 1)
            _ = try await store.createIdentity("empty", in: "g")
            #expect(try await store.identities(similarTo: "empty", in: "g", model: "m").isEmpty)
            await expectError(.notFound(.identity, "z")) {
                try await store.identities(similarTo: "z", in: "g", model: "m")
            }
        }
    }
}
