import Foundation
import Gallery
import Testing

struct ListTests {
    private static let labels = ["Bus", nil, "Bus", "Car", nil, "Bär", "Bus", "car", nil, "Bus 2"]

    /// Ten identities, most with sightings at growing times, some of which nobody knows.
    private func fill(_ store: GalleryStore) async throws {
        for (number, label) in Self.labels.enumerated() {
            _ = try await store.createIdentity("i\((number * 7) % 10)", in: "g", label: label)
        }
        for number in 0..<24 {
            let time = number % 6 == 5 ? nil : Date(timeIntervalSince1970: Double(number * 37 % 11) - 3)
            _ = try await store.enrol(
                Enrolment(
                    identity: "i\(number % 8)", camera: number % 4 == 3 ? nil : "c\(number % 4)", capturedAt: time),
                in: "g")
        }
    }

    /// All of a list, by pages of some items, each of which must come once.
    private func all<Item: Sendable>(_ size: Int, _ page: (String?) async throws -> Page<Item>) async throws -> [Item] {
        var (items, cursor) = ([Item](), nil as String?)
        repeat {
            let part = try await page(cursor)
            #expect(part.items.count == size || part.next == nil)
            items += part.items
            cursor = part.next
        } while cursor != nil
        return items
    }

    private func identities(
        _ store: GalleryStore, _ order: IdentityOrder, isDescending: Bool = false, by size: Int = 3,
        _ change: (inout IdentityListFilter) -> Void = { _ in }
    ) async throws -> [IdentityRecord] {
        var filter = IdentityListFilter()
        change(&filter)
        return try await all(size) { [filter] cursor in
            try await store.identities(
                in: "g", filter, SortedPageRequest(order, isDescending: isDescending, limit: size, after: cursor))
        }
    }

    @Test("Identities come sorted, page by page, both ways; what has no such value is left out", arguments: [1, 3, 50])
    func sorted(size: Int) async throws {
        try await withStore { store, _ in
            try await fill(store)
            let made = try await store.identities(in: "g").items
            let utf8 = { (a: String, b: String) in a.utf8.lexicographicallyPrecedes(b.utf8) }
            let labelled = made.enumerated().filter { $0.element.label != nil }.sorted { a, b in
                let (x, y) = (a.element.label ?? "", b.element.label ?? "")
                return x == y ? a.offset < b.offset : utf8(x, y)
            }.map(\.element.id)
            let seen = made.enumerated().filter { $0.element.lastSeen != nil }.sorted { a, b in
                let (x, y) = (a.element.lastSeen ?? .distantPast, b.element.lastSeen ?? .distantPast)
                return x == y ? a.offset < b.offset : x < y
            }.map(\.element.id)
            #expect(labelled.count == 7 && seen.count == 8)
            for (order, expected) in [
                (IdentityOrder.created, made.map(\.id)), (.name, made.map(\.id).sorted(by: utf8)), (.label, labelled),
                (.lastSeen, seen),
            ] {
                #expect(try await identities(store, order, by: size).map(\.id) == expected)
                #expect(
                    try await identities(store, order, isDescending: true, by: size).map(\.id) == expected.reversed())
            }
        }
    }

    @Test("Identities are filtered by label in every order")
    func labels() async throws {
        try await withStore { store, _ in
            try await fill(store)
            let made = try await store.identities(in: "g").items
            for order in IdentityOrder.allCases {
                let sorted = try await identities(store, order)
                for isDescending in [false, true] {
                    let all = isDescending ? sorted.reversed() : sorted
                    func listed(_ change: (inout IdentityListFilter) -> Void) async throws -> [String] {
                        try await identities(store, order, isDescending: isDescending, by: 2, change).map(\.id)
                    }
                    #expect(try await listed { $0.label = "Bus" } == all.filter { $0.label == "Bus" }.map(\.id))
                    #expect(
                        try await listed { $0.labelPrefix = "B" }
                            == all.filter { $0.label?.hasPrefix("B") == true }.map(\.id))
                    #expect(try await listed { $0.isLabelled = false } == all.filter { $0.label == nil }.map(\.id))
                    #expect(
                        try await listed { ($0.isLabelled, $0.labelPrefix) = (true, "Bus") }
                            == all.filter { $0.label?.hasPrefix("Bus") == true }.map(\.id))
                }
            }
            #expect(made.count { $0.label == "Bus" } == 3)
            await expectError(kind: "invalid label_prefix") {
                try await identities(store, .label) { $0.labelPrefix = "" }
            }
        }
    }

    @Test("Sightings come by when they were seen, filtered by time, camera and label")
    func sightings() async throws {
        try await withStore { store, _ in
            try await fill(store)
            let all = try await store.sightings(in: "g", SightingListFilter(), PageRequest(limit: 100)).items
            let seen = all.enumerated().filter { $0.element.capturedAt != nil }.sorted { a, b in
                let (x, y) = (a.element.capturedAt ?? .distantPast, b.element.capturedAt ?? .distantPast)
                return x == y ? a.offset < b.offset : x < y
            }.map(\.element)
            let bus = Set(try await identities(store, .name) { $0.label = "Bus" }.map(\.id))
            for change in [
                { _ in }, { $0.camera = "c1" }, { $0.capturedAfter = Date(timeIntervalSince1970: 0) },
                { $0.capturedBefore = Date(timeIntervalSince1970: 4) }, { $0.identities.label = "Bus" },
            ] as [(inout SightingListFilter) -> Void] {
                var filter = SightingListFilter()
                change(&filter)
                let expected = seen.filter { sighting in
                    let time = sighting.capturedAt ?? .distantPast
                    return (filter.camera ?? sighting.camera) == sighting.camera
                        && time >= filter.capturedAfter ?? .distantPast
                        && time < filter.capturedBefore ?? .distantFuture
                        && (filter.identities.label == nil || bus.contains(sighting.identity))
                }.map(\.id)
                for isDescending in [false, true] {
                    let found = try await self.all(2) { [filter] cursor in
                        try await store.sightings(
                            in: "g", filter,
                            SortedPageRequest(.captured, isDescending: isDescending, limit: 2, after: cursor))
                    }
                    #expect(found.map(\.id) == (isDescending ? expected.reversed() : expected) && !expected.isEmpty)
                }
            }
        }
    }

    @Test("A place in one order is none in another, and nothing else is one")
    func cursors() async throws {
        try await withStore { store, _ in
            try await fill(store)
            let name = try await store.identities(in: "g", IdentityListFilter(), SortedPageRequest(.name, limit: 2))
                .next
            for cursor in [name ?? "", "", "bmFtZQ", "bmFtZSAxIG5YWQ", "ü", String(repeating: "A", count: 5000)] {
                #expect(throws: GalleryError.self) { try SortedPageRequest(IdentityOrder.label, after: cursor) }
                #expect(throws: GalleryError.self) { try SortedPageRequest(IdentityOrder.created, after: cursor) }
            }
            #expect(throws: GalleryError.self) { try SortedPageRequest(IdentityOrder.name, limit: 0) }
            _ = try SortedPageRequest(IdentityOrder.name, after: name)
        }
    }

    @Test("When an identity was seen last follows enrolments, changes, corrections and erasures")
    func lastSeen() async throws {
        let directory = try TemporaryDirectory()
        let store = try await directory.open()
        _ = try await store.createGallery("g")
        func time(_ seconds: Double) -> Date { Date(timeIntervalSince1970: seconds) }
        func seen(_ name: String) async throws -> Date? { try await store.identity(name, in: "g").lastSeen }
        _ = try await store.createIdentity("a", in: "g")
        #expect(try await seen("a") == nil)
        var ids: [String] = []
        for second in [10.0, 30, 20, 30] {
            ids.append(
                try await store.enrol(Enrolment(identity: "a", capturedAt: time(second)), in: "g").sighting.id)
        }
        #expect(try await seen("a") == time(30))
        try await store.deleteSighting(ids[1], in: "g")
        #expect(try await seen("a") == time(30))
        let moved = try await store.moveSighting(ids[3], to: "b", in: "g")
        #expect(try await seen("a") == time(20))
        #expect(try await seen("b") == time(30))
        _ = try await store.undoCorrection(moved.id, in: "g")
        #expect(try await seen("a") == time(30))
        await expectError(.notFound(.identity, "b")) { try await store.identity("b", in: "g") }
        var patch = SightingPatch()
        patch.capturedAt = .set(time(5))
        _ = try await store.updateSighting(ids[3], in: "g", patch)
        #expect(try await seen("a") == time(20))
        patch.capturedAt = .set(nil)
        let enrolled = try await store.updateSighting(ids[3], in: "g", patch).createdAt
        #expect(try await seen("a") == enrolled)
        patch.capturedAt = .set(time(40))
        _ = try await store.updateSighting(ids[3], in: "g", patch)
        // Hidden at once, whatever is deleted when.
        var late = QueryFilter()
        late.capturedAfter = time(15)
        #expect(try await store.eraseSightings(late, in: "g") == 2)
        #expect(try await seen("a") == time(10))
        try await store.waitUntilErased()
        #expect(try await seen("a") == time(10))
        try await store.deleteIdentity("a", in: "g")
        try await store.waitUntilErased()
        try await store.close()
        try await expectSound(directory)
    }

    @Test("Facets count what the filter admits, and their parts are the whole", arguments: TimeBucket.allCases)
    func facets(bucket: TimeBucket) async throws {
        try await withStore { store, _ in
            try await fill(store)
            let times = [
                "1969-12-31T23:30:00Z", "1969-12-28T10:00:00Z", "2026-02-28T23:59:59Z", "2026-03-01T00:00:00Z",
                "2026-03-01T23:00:00Z", "2026-03-02T00:00:00Z",
            ].compactMap { try? Date($0, strategy: .iso8601) }
            for (number, time) in times.enumerated() {
                let images = ["tir", "rgb"].prefix(number % 3).map {
                    KeptImage(modality: $0, contentType: "image/png", bytes: Data([1]))
                }
                _ = try await store.enrol(
                    Enrolment(identity: "new", camera: "d\(number / 4)", capturedAt: time, images: Array(images)),
                    in: "g")
            }
            let all = try await store.facets(in: "g", SightingListFilter(), by: bucket)
            #expect(all.sightings == 30 && all.identities == 9)
            #expect(all.labelled.sightings + all.unlabelled.sightings == 30)
            #expect(all.labelled.identities + all.unlabelled.identities == 9)
            #expect(all.cameras.items.map(\.camera) == ["c0", "c1", "c2", "d0", "d1"])
            #expect(all.cameras.items.map(\.sightings) == [6, 6, 6, 4, 2])
            #expect(all.cameras.others == 0 && all.cameras.unknown == 6)
            #expect(all.modalities.map(\.sightings) == [26, 2, 2])
            #expect(all.modalities.map(\.modalities) == [[], ["rgb", "tir"], ["tir"]])
            #expect(all.times.unknown == 4 && all.times.earlier == 0)
            #expect(all.times.items.reduce(4) { $0 + $1.sightings } == 30)
            var filter = SightingListFilter()
            filter.camera = "d0"
            let starts = try await store.facets(in: "g", filter, by: bucket).times.items.map {
                $0.start.ISO8601Format()
            }
            let expected: [TimeBucket: [String]] = [
                .hour: [
                    "1969-12-28T10:00:00Z", "1969-12-31T23:00:00Z", "2026-02-28T23:00:00Z", "2026-03-01T00:00:00Z",
                ],
                .day: ["1969-12-28T00:00:00Z", "1969-12-31T00:00:00Z", "2026-02-28T00:00:00Z", "2026-03-01T00:00:00Z"],
                .week: ["1969-12-22T00:00:00Z", "1969-12-29T00:00:00Z", "2026-02-23T00:00:00Z"],
                .month: ["1969-12-01T00:00:00Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"],
            ]
            #expect(starts == expected[bucket])
            filter.identities.isLabelled = true
            #expect(try await store.facets(in: "g", filter, by: bucket).sightings == 0)
        }
    }

    @Test("More cameras and hours than are told are summed up, the least and the earliest of them")
    func manyFacets() async throws {
        try await withStore { store, _ in
            let sightings = (0..<1010).map { number in
                Enrolment(
                    identity: "a", camera: "c\(min(number, 104))",
                    capturedAt: Date(timeIntervalSince1970: Double(number) * 3600))
            }
            for result in try await store.enrol(sightings, in: "g") { _ = try result.get() }
            let found = try await store.facets(in: "g", SightingListFilter(), by: .hour)
            #expect(found.cameras.items.count == 100 && found.cameras.others == 5)
            #expect(found.cameras.items[0].camera == "c104" && found.cameras.items[0].sightings == 906)
            #expect(found.times.items.count == 1000 && found.times.earlier == 10)
            #expect(found.times.items[0].start == Date(timeIntervalSince1970: 36000))
        }
    }
}
