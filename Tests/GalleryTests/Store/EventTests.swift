import Documents
import Foundation
import Gallery
import Testing

@Suite("Events")
struct EventTests {
    private func enrol(_ store: GalleryStore, _ identity: String, camera: String? = nil) async throws -> String {
        try await store.enrol(
            Enrolment(identity: identity, camera: camera, embeddings: [embedding([1, 0])]), in: "g"
        ).sighting.id
    }

    private func identify(_ store: GalleryStore, _ vector: [Float], key: String? = nil) async throws -> String? {
        let embedding = embedding(vector)
        var passage = Passage(
            [
                Enrolment(
                    identity: "", embeddings: [embedding],
                    idempotency: key.map { Idempotency(key: $0, fingerprint: "f") })
            ], embedding: embedding)
        passage.threshold = 0.9
        return try await store.identify(passage, in: "g").identity
    }

    private func all(
        _ store: GalleryStore, after last: Int64 = 0, _ filter: EventFilter = EventFilter()
    ) async throws -> [GalleryEvent] {
        try await store.events(after: last, filter).events
    }

    @Test("each thing that happens is one event, with what is known of it; repetitions, dry runs and imports are none")
    func kinds() async throws {
        try await withStore { store, _ in
            let first = try await enrol(store, "a", camera: "north")
            let second = try #require(try await identify(store, [0, 1], key: "k"))
            _ = try await identify(store, [0, 1], key: "k")
            _ = try await identify(store, [0, 1])
            _ = try await store.enrol(
                [Enrolment(identity: "imported", embeddings: [embedding([1, 1])])], in: "g")
            try await store.ledger.activate("m1", finishing: nil, moving: nil)
            try await store.ledger.activate("m1", finishing: nil, moving: nil)
            try await store.ledger.activate("m2", finishing: nil, moving: nil)
            let events = try await all(store)
            #expect(events.map(\.kind) == [.enrolled, .new, .matched, .model])
            #expect(events.map(\.id) == events.map(\.id).sorted() && store.lastEvent == events.last?.id)
            #expect(events[0].sighting == first && events[0].camera == "north" && events[0].gallery == "g")
            #expect(events[0].identity == "a" && events[1].identity == second && events[1].score == nil)
            #expect(events[2].identity == second && abs((events[2].score ?? 0) - 1) < 1e-6)
            #expect(events[3].gallery == nil && events[3].detail?["previous"]?.string == "m1")
        }
    }

    @Test("filters admit by gallery, camera, identity and kind, and say where to go on past what they leave out")
    func filters() async throws {
        try await withStore { store, _ in
            _ = try await store.createGallery("h")
            for (identity, camera) in [("a", "north"), ("b", "south"), ("a", "south")] {
                _ = try await enrol(store, identity, camera: camera)
            }
            _ = try await store.enrol(Enrolment(identity: "a", embeddings: [embedding([1, 0])]), in: "h")
            try await store.ledger.activate("m1", finishing: nil, moving: nil)
            try await store.ledger.activate("m2", finishing: nil, moving: nil)
            func count(_ change: (inout EventFilter) -> Void) async throws -> Int {
                var filter = EventFilter()
                change(&filter)
                let batch = try await store.events(after: 0, filter)
                #expect(batch.last == store.lastEvent && !batch.hasGap)
                return batch.events.count
            }
            #expect(try await count { _ in } == 5)
            #expect(try await count { $0.galleries = ["g"] } == 3)
            #expect(try await count { $0.galleries = ["g", "h"] } == 4)
            #expect(try await count { $0.cameras = ["south"] } == 2)
            #expect(try await count { ($0.cameras, $0.identities) = (["south"], ["a"]) } == 1)
            #expect(try await count { $0.kinds = [.model] } == 1)
            #expect(try await count { $0.galleries = ["x"] } == 0)
            var none = EventFilter()
            none.galleries = []
            await #expect(throws: GalleryError.self) { try await store.events(after: 0, none) }
        }
    }

    @Test("what is erased takes its events with it and leaves one that names sightings alone; names are those of today")
    func erasure() async throws {
        try await withStore { store, directory in
            let sighting = try await enrol(store, "secret", camera: "north")
            let other = try await enrol(store, "secret")
            let kept = try await enrol(store, "b")
            _ = try await store.renameIdentity("b", to: "c", in: "g")
            #expect(try await all(store).map(\.identity) == ["secret", "secret", "c"])
            try await store.deleteSighting(sighting, in: "g")
            #expect(try await all(store).map(\.kind) == [.enrolled, .enrolled, .erased])
            try await store.deleteIdentity("secret", in: "g")
            let left = try await all(store)
            #expect(left.map(\.kind) == [.enrolled, .erased, .erased] && left[0].sighting == kept)
            #expect(left[2].detail?["sightings"]?.array == [.string(other)] && left[2].detail?["count"]?.integer == 1)
            #expect(!left.contains { "\($0)".contains("secret") })
            try await store.deleteGallery("g")
            let last = try await all(store)
            #expect(last.map(\.kind) == [.erased] && last[0].detail?["gallery"]?.string == "g")
            var filter = EventFilter()
            filter.galleries = ["g"]
            #expect(try await all(store, after: 0, filter).count == 1)
            // Once the bytes are gone too.
            while !store.erasure.isComplete { try await Task.sleep(for: .milliseconds(5)) }
            #expect(try await all(store).count == 1)
        }
    }

    @Test("who is on the watchlist is told each time, also under the name that it was merged into, and after an undo")
    func watchlist() async throws {
        try await withStore { store, _ in
            for name in ["a", "b"] { _ = try await enrol(store, name) }
            var patch = IdentityPatch()
            patch.watchlist = .set(true)
            #expect(try await store.updateIdentity("a", in: "g", patch).watchlist)
            let start = store.lastEvent
            _ = try await enrol(store, "a")
            _ = try await enrol(store, "b")
            #expect(try await all(store, after: start).map(\.kind) == [.enrolled, .watchlist, .enrolled])
            let merge = try await store.mergeIdentities(["a"], into: "b", in: "g")
            #expect(try await store.identity("b", in: "g").watchlist)
            _ = try await store.undoCorrection(merge.id, in: "g")
            #expect(try await store.identity("a", in: "g").watchlist)
        }
    }

    @Test(
        "a follower that is cut off anywhere and comes again is told everything once, also by a store that was opened anew"
    )
    func resume() async throws {
        try await withStore { try await resume($0, $1) }
    }

    private func resume(_ first: GalleryStore, _ directory: TemporaryDirectory) async throws {
        var store = first
        var (sent, told, last) = ([String](), [String](), Int64(0))
        for round in 0..<12 {
            for _ in 0..<(round * 60 % 170) { sent.append(try await enrol(store, "a")) }
            while last < store.lastEvent {
                let batch = try await store.events(after: last)
                #expect(!batch.hasGap)
                // The connection breaks in the middle of a batch.
                for event in batch.events.prefix(round % 2 == 0 ? 7 : .max) {
                    told.append(event.sighting ?? "")
                    last = event.id
                }
            }
            try await store.close()
            store = try await directory.open()
        }
        #expect(told == sent && sent.count > 500)
        try await store.close()
    }

    @Test("who has been away for longer than events are kept is told of the gap, and who knows of events to come too")
    func gap() async throws {
        try await withStore { store, _ in
            _ = try await enrol(store, "a")
            let second = try await enrol(store, "a")
            let last = store.lastEvent
            try await store.forgetEvents(before: Date(timeIntervalSinceNow: 60))
            let late = try await store.events(after: last - 1)
            #expect(late.hasGap && late.events.isEmpty && late.last == last)
            #expect(try await !store.events(after: last).hasGap)
            _ = try await enrol(store, "a")
            #expect(try await store.events(after: last).events.map(\.sighting) != [second])
            let ahead = try await store.events(after: 1000)
            #expect(ahead.hasGap && ahead.events.isEmpty && ahead.last == store.lastEvent)
        }
    }

    @Test("the audit log names who changed what by rows, in the change's own transaction")
    func audit() async throws {
        try await withStore { store, _ in
            try await Audit.$key.withValue("key-1") {
                for _ in 0..<3 { _ = try await enrol(store, "secret") }
                let id = try await enrol(store, "b")
                _ = try await store.updateSighting(id, in: "g", SightingPatch())
                _ = try await store.renameIdentity("b", to: "c", in: "g")
                try await store.deleteIdentity("secret", in: "g")
            }
            await #expect(throws: GalleryError.self) { try await store.deleteIdentity("secret", in: "g") }
            try await store.ledger.save(
                [AuditedReads(key: "key-2", operation: "GET /x", gallery: "g"): 5], at: Date())
            let lines = try await store.ledger.audit(AuditFilter(), PageRequest(limit: 100)).items
            #expect(
                lines.map(\.action) == [
                    "gallery-created", "sightings-enrolled", "sighting-changed", "corrected", "identity-erased",
                    "GET /x",
                ])
            #expect(lines.map(\.key) == [nil, "key-1", "key-1", "key-1", "key-1", "key-2"])
            #expect(lines[1].count == 4 && lines[5].count == 5 && lines.allSatisfy { $0.gallery == "g" })
            #expect(!lines.contains { "\($0)".contains("secret") })
            var filter = AuditFilter()
            (filter.key, filter.action) = ("key-1", "corrected")
            #expect(try await store.ledger.audit(filter, .first).items.count == 1)
            try await store.ledger.forgetAudit(before: Date(timeIntervalSinceNow: 60))
            #expect(try await store.ledger.audit(AuditFilter(), .first).items.isEmpty)
        }
    }
}
