import Gallery
import Testing

struct IdempotencyTests {
    private func enrolment(_ fingerprint: String, key: String = "k") -> Enrolment {
        Enrolment(
            identity: "a", embeddings: [embedding([1, 0])],
            idempotency: Idempotency(key: key, fingerprint: fingerprint))
    }

    @Test("The same request again gives the original sighting; another request with its key is a conflict")
    func replay() async throws {
        try await withStore { store, _ in
            let first = try await store.enrol(enrolment("x"), in: "g")
            let again = try await store.enrol(enrolment("x"), in: "g")
            #expect(!first.isReplay && again.isReplay && again.sighting == first.sighting)
            await expectError(.idempotencyConflict(key: "k")) { try await store.enrol(enrolment("y"), in: "g") }
            #expect(try await store.gallery("g").sightings == 1)
            for acknowledging in [false, true] {
                let earlier = try await store.enrolled(
                    before: enrolment("x"), in: "g", acknowledging: acknowledging)
                #expect(earlier?.sighting == first.sighting && earlier?.isReplay == true)
            }
            #expect(try await store.enrolled(before: enrolment("x", key: "l"), in: "g") == nil)
        }
    }

    @Test("A key counts in its own gallery only")
    func galleries() async throws {
        try await withStore { store, _ in
            _ = try await store.createGallery("h")
            _ = try await store.enrol(enrolment("x"), in: "g")
            #expect(try await store.enrol(enrolment("y"), in: "h").isReplay == false)
        }
    }

    @Test("Of fifty equal requests at the same time one enrols, and all get its sighting")
    func race() async throws {
        try await withStore { store, _ in
            let receipts = try await withThrowingTaskGroup(of: EnrolmentReceipt.self) { group in
                for _ in 0..<50 { group.addTask { try await store.enrol(enrolment("x"), in: "g") } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(receipts.map(\.sighting.id)).count == 1)
            #expect(receipts.filter { !$0.isReplay }.count == 1)
            let result = try await store.query(
                GalleryQuery(embedding: embedding([1, 0]), grouping: .sighting), in: "g")
            #expect(result.matches.count == 1)
        }
    }
}
