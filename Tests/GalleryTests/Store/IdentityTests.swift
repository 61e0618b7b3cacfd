import Gallery
import Testing

struct IdentityTests {
    @Test("A patch changes what it names and nothing else")
    func patching() async throws {
        try await withStore { store, _ in
            let made = try await store.createIdentity(
                "a", in: "g", label: "A", metadata: ["colour": "red", "ok": true])
            let relabelled = try await store.updateIdentity("a", in: "g", IdentityPatch(label: .set(nil)))
            #expect(relabelled.label == nil && relabelled.metadata == made.metadata)
            #expect(relabelled.updatedAt >= made.updatedAt && relabelled.createdAt == made.createdAt)
            let patch = IdentityPatch(metadata: .set(["colour": "blue"]))
            #expect(try await store.updateIdentity("a", in: "g", patch).metadata == ["colour": "blue"])
            #expect(try await store.identity("a", in: "g").metadata == ["colour": "blue"])
            await expectError(.notFound(.identity, "b")) { try await store.updateIdentity("b", in: "g", patch) }
        }
    }

    @Test("The same identity may live in two galleries, once in each")
    func uniqueness() async throws {
        try await withStore { store, _ in
            _ = try await store.createGallery("h")
            _ = try await store.createIdentity("a", in: "g")
            _ = try await store.createIdentity("a", in: "h")
            await expectError(.alreadyExists(.identity, "a")) { try await store.createIdentity("a", in: "g") }
        }
    }

    @Test("Erasing an identity takes its sightings out of the lists and out of the answers")
    func erasure() async throws {
        try await withStore { store, _ in
            for identity in ["a", "a", "b"] {
                _ = try await store.enrol(Enrolment(identity: identity, embeddings: [embedding([1, 0])]), in: "g")
            }
            try await store.deleteIdentity("a", in: "g")
            let result = try await store.query(
                GalleryQuery(embedding: embedding([1, 0]), grouping: .sighting), in: "g")
            #expect(result.matches.map(\.identity) == ["b"])
            #expect(try await store.gallery("g").sightings == 1)
            await expectError(.notFound(.identity, "a")) { try await store.sightings(of: "a", in: "g") }
        }
    }
}
