import Foundation
import GRDB
import Gallery
import Testing

@Suite("Identities that were told apart")
struct DistinctionTests {
    /// A sighting each of a, b, c and d, about a tenth of a radian from one to the next.
    private func fill(_ store: GalleryStore) async throws {
        for (identity, angle) in [("a", 0), ("b", 0.1), ("c", 0.2), ("d", 0.305)] as [(String, Float)] {
            try await enrol(identity, at: angle, store)
        }
    }

    @discardableResult
    private func enrol(_ identity: String, at angle: Float, _ store: GalleryStore) async throws -> String {
        let enrolment = Enrolment(identity: identity, embeddings: [embedding([cos(angle), sin(angle)])])
        return try await store.enrol(enrolment, in: "g").sighting.id
    }

    private func similar(to identity: String, _ store: GalleryStore) async throws -> [String] {
        try await store.identities(similarTo: identity, in: "g", model: "m").map(\.identity)
    }

    /// Whom each was told apart from; without those that were told apart from nobody.
    private func apart(_ store: GalleryStore) async throws -> [String: Set<String>] {
        try await store.distinctions(of: ["a", "b", "c", "d", "n"], in: "g").mapValues { Set($0.map(\.identity)) }
    }

    private func groups(_ store: GalleryStore, _ threshold: Float) async throws -> [IdentityGroup] {
        try await store.groups(in: "g", model: "m", threshold: threshold)
    }

    @Test("Neither is told as similar to the other, until that is taken back")
    func similar() async throws {
        try await withStore { store, directory in
            try await fill(store)
            let said = try await store.distinguishIdentity("b", from: ["a", "d"], in: "g")
            #expect(said.kind == .distinguish && said.identity == "b" && said.sightings == 0)
            #expect(try await similar(to: "a", store) == ["c", "d"])
            #expect(try await similar(to: "b", store) == ["c"])
            #expect(try await similar(to: "d", store) == ["c", "a"])
            #expect(try await store.distinctions(of: "a", in: "g").map(\.correction) == [said.id])
            #expect(try await store.distinctions(of: "b", in: "g").map(\.isEarlier).filter { $0 }.count == 1)
            let more = try await store.distinguishIdentity("b", from: ["a", "c"], in: "g")
            #expect(try await apart(store) == ["a": ["b"], "b": ["a", "c", "d"], "c": ["b"], "d": ["b"]])
            #expect(try await store.undoCorrection(more.id, in: "g").undoneAt != nil)
            #expect(try await apart(store) == ["a": ["b"], "b": ["a", "d"], "d": ["b"]])
            try await store.close()
            let again = try await directory.open()
            _ = try await again.undoCorrection(said.id, in: "g")
            #expect(try await apart(again).isEmpty)
            #expect(try await similar(to: "a", again) == ["b", "c", "d"])
            await expectError(kind: "outdated") { try await again.undoCorrection(said.id, in: "g") }
            let actions = try await again.ledger.audit(AuditFilter(), .first).items.map(\.action)
            #expect(actions.filter { $0 == "corrected" }.count == 4)
            try await again.close()
        }
    }

    @Test("Nothing else than another identity that is there can be told apart")
    func bad() async throws {
        try await withStore { store, _ in
            try await fill(store)
            for (others, kind) in [
                ([], "invalid identities"), (["b", "b"], "invalid identities"), (["a"], "invalid identities"),
            ] {
                await expectError(kind: kind) { try await store.distinguishIdentity("a", from: others, in: "g") }
            }
            await expectError(.notFound(.identity, "z")) {
                try await store.distinguishIdentity("a", from: ["b", "z"], in: "g")
            }
            await expectError(.notFound(.identity, "z")) { try await store.distinctions(of: "z", in: "g") }
            #expect(try await apart(store).isEmpty)
            _ = try await store.distinguishIdentity("a", from: ["b"], in: "g")
            await expectError(kind: "invalid identities") {
                try await store.distinguishIdentity("b", from: ["a"], in: "g")
            }
            #expect(try await store.corrections(in: "g").items.count == 1)
        }
    }

    @Test("An identity is told apart from a thousand at most")
    func most() async throws {
        try await withStore { store, _ in
            let names = (0...Distinction.most).map { "n\($0)" }
            _ = try await store.createIdentities((["a"] + names).map { NewIdentity($0) }, in: "g")
            for start in stride(from: 0, to: Distinction.most, by: 100) {
                _ = try await store.distinguishIdentity("a", from: Array(names[start..<start + 100]), in: "g")
            }
            await expectError(kind: "invalid identities") {
                try await store.distinguishIdentity("a", from: [names[Distinction.most]], in: "g")
            }
            #expect(try await store.distinctions(of: "a", in: "g").count == Distinction.most)
        }
    }

    @Test("The most alike are grouped first, and no group has two that were told apart")
    func grouping() async throws {
        try await withStore { store, _ in
            try await fill(store)
            try await enrol("e", at: 0.05, store)
            let (near, far) = (Float(cos(0.11)), Float(cos(0.5)))
            #expect(try await groups(store, near).map(\.identities) == [["a", "b", "c", "d", "e"]])
            _ = try await store.distinguishIdentity("a", from: ["d"], in: "g")
            let split = try await groups(store, near)
            #expect(split.map(\.identities) == [["a", "b", "c", "e"]] && abs(split[0].score - cos(0.1)) < 1e-6)
            _ = try await store.distinguishIdentity("c", from: ["a", "b", "e"], in: "g")
            #expect(try await groups(store, far).map(\.identities) == [["a", "b", "e"], ["c", "d"]])
        }
    }

    @Test("A split tells the two apart, and who looks like what was split off is identified as that")
    func split() async throws {
        try await withStore { store, _ in
            try await enrol("a", at: 0, store)
            let wrong = try await enrol("a", at: 0.3, store)
            let split = try await store.splitIdentity("a", sightings: [wrong], into: "n", in: "g")
            #expect(try await apart(store) == ["a": ["n"], "n": ["a"]])
            #expect(try await similar(to: "n", store).isEmpty)
            let vector = embedding([cos(0.28), sin(0.28)])
            var passage = Passage([Enrolment(identity: "", embeddings: [vector])], embedding: vector)
            (passage.threshold, passage.isStored) = (0.9, false)
            #expect(try await store.identify(passage, in: "g").identity == "n")
            _ = try await store.undoCorrection(split.id, in: "g")
            #expect(try await apart(store).isEmpty)
        }
    }

    @Test("A merge passes on whom the identities were told apart from, and its undoing brings all back")
    func merge() async throws {
        try await withStore { store, directory in
            try await fill(store)
            let first = try await store.distinguishIdentity("b", from: ["a", "c", "d"], in: "g")
            _ = try await store.distinguishIdentity("c", from: ["d"], in: "g")
            let merge = try await store.mergeIdentities(["b", "c"], into: "a", in: "g")
            #expect(try await apart(store) == ["a": ["d"], "d": ["a"]])
            let later = try await store.mergeIdentities(["a"], into: "d", in: "g")
            #expect(try await apart(store).isEmpty)
            await expectError(kind: "outdated") { try await store.undoCorrection(merge.id, in: "g") }
            for correction in [later, merge] { _ = try await store.undoCorrection(correction.id, in: "g") }
            #expect(try await apart(store) == ["a": ["b"], "b": ["a", "c", "d"], "c": ["b", "d"], "d": ["b", "c"]])
            let again = try await store.mergeIdentities(["b"], into: "a", in: "g")
            #expect(try await apart(store) == ["a": ["c", "d"], "c": ["a", "d"], "d": ["a", "c"]])
            _ = try await store.undoCorrection(first.id, in: "g")
            #expect(try await apart(store) == ["c": ["d"], "d": ["c"]])
            _ = try await store.undoCorrection(again.id, in: "g")
            #expect(try await apart(store) == ["c": ["d"], "d": ["c"]])
            try await store.close()
            try await expectSound(directory)
        }
    }

    @Test("A merge is not undone while another that was told apart from it is part of a third")
    func order() async throws {
        try await withStore { store, _ in
            try await fill(store)
            _ = try await store.distinguishIdentity("b", from: ["c"], in: "g")
            let first = try await store.mergeIdentities(["b"], into: "a", in: "g")
            let second = try await store.mergeIdentities(["c"], into: "d", in: "g")
            #expect(try await apart(store) == ["a": ["d"], "d": ["a"]])
            await expectError(kind: "outdated") { try await store.undoCorrection(first.id, in: "g") }
            #expect(try await apart(store) == ["a": ["d"], "d": ["a"]])
            for correction in [second, first] { _ = try await store.undoCorrection(correction.id, in: "g") }
            #expect(try await apart(store) == ["b": ["c"], "c": ["b"]])
        }
    }

    @Test("Distinctions go with an identity that is erased, also those that a merge keeps")
    func erasure() async throws {
        try await withStore { store, directory in
            try await fill(store)
            let said = try await store.distinguishIdentity("a", from: ["b"], in: "g")
            _ = try await store.distinguishIdentity("c", from: ["b", "d"], in: "g")
            let merge = try await store.mergeIdentities(["c"], into: "a", in: "g")
            try await store.deleteIdentity("b", in: "g")
            #expect(try await apart(store) == ["a": ["d"], "d": ["a"]])
            await expectError(kind: "outdated") { try await store.undoCorrection(said.id, in: "g") }
            _ = try await store.undoCorrection(merge.id, in: "g")
            #expect(try await apart(store) == ["c": ["d"], "d": ["c"]])
            _ = try await store.createIdentity("b", in: "g")
            #expect(try await apart(store)["b"] == nil)
            try await store.deleteGallery("g")
            try await store.waitUntilErased()
            guard directory.engine == .sqlite else { return }
            let left = try await directory.connect().read { db in
                try Int.fetchOne(
                    db, sql: "SELECT (SELECT COUNT(*) FROM distinction) + (SELECT COUNT(*) FROM correction_distinction)"
                )
            }
            #expect(left == 0)
        }
    }

    @Test("An identity can be made told apart from others that are there, and then that can be undone")
    func made() async throws {
        try await withStore { store, _ in
            let made = try await store.createIdentities(
                [
                    NewIdentity("a"), NewIdentity("b", distinctFrom: ["a"]), NewIdentity("c", distinctFrom: ["z"]),
                    NewIdentity("a", distinctFrom: ["b"]), NewIdentity("d", distinctFrom: ["d"]),
                ], in: "g")
            #expect(try made[0].get() && made[1].get() && !made[3].get())
            await expectError(.notFound(.identity, "z")) { try made[2].get() }
            await expectError(kind: "invalid distinct_from") { try made[4].get() }
            #expect(try await store.identities(in: "g").items.map(\.id) == ["a", "b"])
            #expect(
                try await store.distinctions(of: ["a", "b", "z"], in: "g").mapValues { $0.map(\.identity) } == [
                    "a": ["b"], "b": ["a"],
                ])
            let said = try #require(try await store.corrections(in: "g").items.last)
            _ = try await store.undoCorrection(said.id, in: "g")
            #expect(try await store.distinctions(of: ["a", "b"], in: "g").isEmpty)
        }
    }
}
