import Foundation
import Gallery
import Testing

struct QueryTests {
    /// Five sightings of three identities at growing angles from [1, 0].
    private func fill(_ store: GalleryStore) async throws {
        let sightings: [(identity: String, camera: String?, hour: Double?, metadata: Metadata, angle: Float)] = [
            ("a", "c1", 1, ["lane": 1, "wet": true], 0.1), ("a", "c2", 2, ["lane": 2], 0.2),
            ("b", "c1", 3, ["lane": "1"], 0.3), ("b", nil, nil, [:], 0.4), ("c", "c3", 5, ["wet": 1], 0.5),
        ]
        _ = try await store.createIdentity("b", in: "g", label: "Bus", metadata: ["owner": "city"])
        for (identity, camera, hour, metadata, angle) in sightings {
            _ = try await store.enrol(
                Enrolment(
                    identity: identity, camera: camera, capturedAt: hour.map { Date(timeIntervalSince1970: $0 * 3600) },
                    metadata: metadata, embeddings: [embedding([cos(angle), sin(angle)])]),
                in: "g")
        }
    }

    private func lanes(_ store: GalleryStore, _ change: (inout GalleryQuery) -> Void) async throws -> [Int] {
        var query = GalleryQuery(embedding: embedding([1, 0]), grouping: .sighting)
        change(&query)
        return try await store.query(query, in: "g").matches.map { Int((acos(min($0.score, 1)) * 10).rounded()) }
    }

    @Test("Grouping by identity gives the best sighting of each, with what is known of it")
    func identities() async throws {
        try await withStore { store, _ in
            try await fill(store)
            let result = try await store.query(GalleryQuery(embedding: embedding([1, 0])), in: "g")
            #expect(result.matches.map(\.identity) == ["a", "b", "c"] && !result.unknown)
            let bus = result.matches[1]
            #expect(bus.label == "Bus" && bus.camera == "c1" && bus.metadata == ["lane": "1"])
            #expect(bus.capturedAt == Date(timeIntervalSince1970: 3 * 3600))
            #expect(abs(bus.score - cos(0.3)) < 1e-6)
        }
    }

    @Test("Every filter keeps what it says")
    func filters() async throws {
        try await withStore { store, _ in
            try await fill(store)
            #expect(try await lanes(store) { $0.limit = 2 } == [1, 2])
            #expect(try await lanes(store) { $0.threshold = 0.95 } == [1, 2, 3])
            #expect(try await lanes(store) { $0.filter.cameras = ["c1", "c9"] } == [1, 3])
            #expect(try await lanes(store) { $0.filter.excludeCameras = ["c1"] } == [2, 4, 5])
            #expect(try await lanes(store) { $0.filter.identities = ["b", "nobody"] } == [3, 4])
            #expect(
                try await lanes(store) {
                    $0.filter.capturedAfter = Date(timeIntervalSince1970: 2 * 3600)
                    $0.filter.capturedBefore = Date(timeIntervalSince1970: 5 * 3600)
                } == [2, 3])
        }
    }

    @Test("A metadata filter compares type and value, of the sighting or its identity")
    func metadata() async throws {
        try await withStore { store, _ in
            try await fill(store)
            #expect(try await lanes(store) { $0.filter.metadata = ["lane": 1] } == [1])
            #expect(try await lanes(store) { $0.filter.metadata = ["lane": "1"] } == [3])
            #expect(try await lanes(store) { $0.filter.metadata = ["wet": true] } == [1])
            #expect(try await lanes(store) { $0.filter.metadata = ["owner": "city"] } == [3, 4])
            #expect(try await lanes(store) { $0.filter.metadata = ["owner": "city", "lane": "1"] } == [3])
            #expect(try await lanes(store) { $0.filter.metadata = ["lane') OR 1 --": 1] } == [])
        }
    }

    @Test("Metadata may be one of several values, between bounds, or none of these; identities by label, or not")
    func moreConditions() async throws {
        try await withStore { store, _ in
            try await fill(store)
            #expect(try await lanes(store) { $0.filter.metadata = ["lane": [1, 2, "x"]] } == [1, 2])
            #expect(try await lanes(store) { $0.filter.excludeMetadata = ["lane": [1, "1"], "wet": 1] } == [2, 4])
            var bounds = MetadataRange()
            (bounds.lower, bounds.includesLower) = (1, false)
            #expect(try await lanes(store) { $0.filter.metadata = ["lane": .range(bounds)] } == [2])
            bounds.includesLower = true
            #expect(try await lanes(store) { $0.filter.metadata = ["lane": .range(bounds)] } == [1, 2])
            (bounds.upper, bounds.includesUpper) = (2, false)
            #expect(try await lanes(store) { $0.filter.metadata = ["lane": .range(bounds)] } == [1])
            (bounds.lower, bounds.upper) = (nil, "2")
            #expect(try await lanes(store) { $0.filter.metadata = ["lane": .range(bounds)] } == [3])
            (bounds.lower, bounds.upper) = ("a", nil)
            #expect(try await lanes(store) { $0.filter.metadata = ["owner": .range(bounds)] } == [3, 4])
            #expect(try await lanes(store) { $0.filter.metadata = ["wet": .range(bounds)] } == [])
            #expect(try await lanes(store) { $0.filter.labelPrefix = "Bu" } == [3, 4])
            #expect(
                try await lanes(store) { ($0.filter.labelPrefix, $0.filter.identities) = ("Bu", ["a"]) } == [])
            #expect(try await lanes(store) { $0.filter.labelPrefix = "bu" } == [])
            #expect(try await lanes(store) { $0.filter.isLabelled = true } == [3, 4])
            #expect(try await lanes(store) { $0.filter.isLabelled = false } == [1, 2, 5])
            #expect(try await lanes(store) { $0.filter.excludeIdentities = ["a", "nobody"] } == [3, 4, 5])
        }
    }

    @Test("A filter by metadata follows a change of an identity's")
    func changedMetadata() async throws {
        try await withStore { store, _ in
            try await fill(store)
            _ = try await store.updateIdentity("b", in: "g", IdentityPatch(metadata: .set(["lane": 2])))
            #expect(try await lanes(store) { $0.filter.metadata = ["owner": "city"] } == [])
            #expect(try await lanes(store) { $0.filter.metadata = ["lane": 2] } == [2, 3, 4])
        }
    }

    @Test("Conditions that say nothing are refused")
    func badConditions() async throws {
        try await withStore { store, _ in
            try await fill(store)
            var mixed = MetadataRange()
            (mixed.lower, mixed.upper) = (1, "2")
            for condition in [.range(MetadataRange()), .range(mixed), .anyOf([])] as [MetadataCondition] {
                await expectError(kind: "invalid metadata.lane") {
                    try await lanes(store) { $0.filter.metadata = ["lane": condition] }
                }
            }
        }
    }

    @Test("Nothing at the threshold, nothing enrolled: unknown")
    func unknown() async throws {
        try await withStore { store, _ in
            #expect(try await store.query(GalleryQuery(embedding: embedding([1, 0])), in: "g").unknown)
            try await fill(store)
            let strict = GalleryQuery(embedding: embedding([-1, 0]), threshold: 0.5)
            let result = try await store.query(strict, in: "g")
            #expect(result.unknown && result.matches.isEmpty)
        }
    }

    @Test("Vectors of another model, or of another dimension, are never compared")
    func mismatches() async throws {
        try await withStore { store, _ in
            try await fill(store)
            let other = GalleryQuery(embedding: embedding([1, 0], model: "other"))
            await expectError(.modelMismatch(requested: "other", available: ["m"])) {
                try await store.query(other, in: "g")
            }
            let wide = GalleryQuery(embedding: embedding([1, 0, 0]))
            await expectError(.dimensionMismatch(model: "m", expected: 2, found: 3)) {
                try await store.query(wide, in: "g")
            }
            await expectError(.notFound(.gallery, "h")) { try await store.query(other, in: "h") }
        }
    }

    @Test("A limit outside 1 to 1000 is refused", arguments: [-1, 0, 1001])
    func badLimit(limit: Int) async throws {
        try await withStore { store, _ in
            let query = GalleryQuery(embedding: embedding([1, 0]), limit: limit)
            await expectError(kind: "invalid limit") { try await store.query(query, in: "g") }
        }
    }

    @Test("Equal scores keep the order of enrolment, also after reopening")
    func ties() async throws {
        try await withStore { store, directory in
            for number in 0..<30 {
                let enrolment = Enrolment(identity: "i\(29 - number)", embeddings: [embedding([3, 4, 5])])
                _ = try await store.enrol(enrolment, in: "g")
            }
            let query = GalleryQuery(embedding: embedding([1, 2, 3]), limit: 10)
            let expected = (20...29).reversed().map { "i\($0)" }
            #expect(try await store.query(query, in: "g").matches.map(\.identity) == expected)
            try await store.close()
            let reopened = try await directory.open()
            #expect(try await reopened.query(query, in: "g").matches.map(\.identity) == expected)
            try await reopened.close()
        }
    }

    @Test("A vector of a whole set of modalities is compared with what has exactly that set")
    func fused() async throws {
        try await withStore { store, _ in
            let sum = VectorSpace(combination: .sum, modalities: ["rgb", "nir", "tir"], partDimension: 2)
            let parts = SightingEmbedding(
                model: "m", space: sum, vectors: ["nir": [3, 0], "rgb": [0, 2], "tir": [0, 2]])
            for (identity, vectors) in [
                ("a", parts), ("b", embedding([0.8, 0.6])), ("c", embedding([0, 1], modalities: ["tir"])),
            ] {
                _ = try await store.enrol(Enrolment(identity: identity, embeddings: [vectors]), in: "g")
            }
            let whole = try await store.query(GalleryQuery(embedding: embedding([3, 4])), in: "g")
            #expect(whole.matches.map(\.identity) == ["a", "b"] && whole.statistics.incomparable == 1)
            #expect(zip(whole.matches, [1, 0.96]).allSatisfy { abs($0.score - $1) < 1e-6 })
            let thermal = try await store.query(
                GalleryQuery(embedding: embedding([0, 1], modalities: ["tir"])), in: "g")
            #expect(thermal.matches.map(\.identity) == ["a", "c"] && thermal.statistics.incomparable == 1)
            #expect(thermal.matches.map(\.score) == [1, 1])
        }
    }

    @Test("The answers are the same after reopening")
    func reopening() async throws {
        try await withStore { store, directory in
            try await fill(store)
            let query = GalleryQuery(embedding: embedding([0.3, 0.7]), grouping: .sighting)
            let before = try await store.query(query, in: "g")
            try await store.close()
            let reopened = try await directory.open()
            #expect(try await reopened.query(query, in: "g") == before)
            try await reopened.close()
        }
    }
}
