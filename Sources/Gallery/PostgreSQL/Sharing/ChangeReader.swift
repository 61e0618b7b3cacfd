import Foundation

/// Some transactions of any server, in their order.
struct ChangeBatch: Sendable {
    let commits: [CommittedChanges]
    /// The last transaction that was committed.
    let newest: Int64

    /// Whether there are no more.
    func reaches(_ place: IndexPlace) -> Bool { (commits.last?.place ?? place).sequence >= newest }
}

/// Reads what was committed, in a transaction that sees one moment.
struct ChangeReader {
    /// Embeddings, and transactions, that one read takes, about: they are held in memory.
    private static let (mostRows, mostCommits) = (4096, 512)

    let db: any SQLSession
    /// Whether vectors are read.
    var holdsVectors = true

    /// The last transaction.
    static func place(_ db: any SQLSession) throws -> IndexPlace {
        let row = try db.only("SELECT t.commits, c.name FROM total t LEFT JOIN change_log c ON c.sequence = t.commits")
        return IndexPlace(sequence: row[0], name: row[1])
    }

    /// What came after a place; nil if that is not to be had: it is not written down any more, or the place is one of a history that
    /// was lost by a failover, or of what a later release has written.
    func read(after place: IndexPlace) throws -> ChangeBatch? {
        guard let newest = try newest(after: place) else { return nil }
        if newest == place.sequence { return ChangeBatch(commits: [], newest: newest) }
        do {
            let commits = try commits(after: place)
            let isWhole = commits.indices.allSatisfy { commits[$0].place.sequence == place.sequence + Int64($0) + 1 }
            return commits.isEmpty || !isWhole ? nil : ChangeBatch(commits: commits, newest: newest)
        } catch is DecodingError {
            return nil
        }
    }

    /// The last transaction that was committed; nil if what is written down does not lead there from a place.
    func newest(after place: IndexPlace) throws -> Int64? {
        let row = try db.only(
            """
            SELECT t.commits, t.log_floor, c.name FROM total t LEFT JOIN change_log c ON c.sequence = ?
            """, [place.sequence])
        let (newest, floor, name): (Int64, Int64, String?) = (row[0], row[1], row[2])
        guard newest >= place.sequence, floor <= place.sequence else { return nil }
        if let known = place.name, floor < place.sequence, name != known { return nil }
        return newest
    }

    private func commits(after place: IndexPlace) throws -> [CommittedChanges] {
        var (notes, rows) = ([(place: IndexPlace, note: ChangeNote)](), 0)
        let statement = """
            SELECT sequence, name, changes FROM change_log WHERE sequence > ? ORDER BY sequence LIMIT \(Self.mostCommits)
            """
        try db.forEach(statement, [place.sequence]) { row in
            if rows >= Self.mostRows { return }
            let note = try ChangeNote(row[2] as String)
            rows += note.steps.reduce(0) { $0 + ($1.kind == .append ? $1.rows?.count ?? 0 : 0) }
            notes.append((IndexPlace(sequence: row[0], name: row[1]), note))
        }
        let steps = notes.flatMap(\.note.steps)
        let appended = try appends(steps.filter { $0.kind == .append }.flatMap { $0.rows ?? [] })
        let seen = try descriptions(steps.filter { $0.kind == .describe })
        return try notes.map { place, note in
            CommittedChanges(
                place: place, changes: try note.steps.flatMap { try changes($0, appended, seen) }, event: note.event,
                news: (note.news ?? []).compactMap(ServerNews.init))
        }
    }

    /// By the rows of embeddings; without those that are there no more.
    private func appends(_ rows: [Int64]) throws -> [Int64: IndexChange] {
        if rows.isEmpty || !holdsVectors { return [:] }
        var found: [Int64: IndexChange] = [:]
        try db.forEach(StartStatement.someVectors, [PostgreSQLArray(rows).text]) { row in
            guard let (entry, key, space) = SQLStore.entry(row) else { return }
            let id: Int64 = row[12]
            found[id] = .append(entry, row: id, to: key, space: space)
        }
        return found
    }

    /// Where and when sightings were seen, by their rows; without those that are there no more.
    private func descriptions(_ steps: [ChangeNote.Step]) throws -> [Int64: IndexChange] {
        if steps.isEmpty { return [:] }
        let rows = try db.rows(
            "SELECT id, camera, captured_at, gallery_id FROM live_sighting WHERE id = ANY (CAST(? AS bigint[]))",
            [PostgreSQLArray(steps.flatMap { $0.rows ?? [] }).text])
        return rows.reduce(into: [:]) { found, row in
            let id: Int64 = row[0]
            found[id] = .describe(id, camera: row[1], capturedAt: row[2], gallery: row[3])
        }
    }

    private func changes(
        _ step: ChangeNote.Step, _ appended: [Int64: IndexChange], _ seen: [Int64: IndexChange]
    ) throws -> [IndexChange] {
        let rows = step.rows ?? []
        switch step.kind {
        case .append: return rows.compactMap { appended[$0] }
        case .describe: return rows.compactMap { seen[$0] }
        case .move: return [.move(rows, to: try needed(step.identity), gallery: try needed(step.gallery))]
        case .removeSightings: return [.removeSightings(rows, gallery: try needed(step.gallery))]
        case .removeVectors:
            let key = IndexRegistry.Key(gallery: try needed(step.gallery), model: try needed(step.model))
            return rows.map { .removeVectors($0, from: key) }
        case .removeIdentity:
            return [.removeIdentity(try needed(step.identity), gallery: try needed(step.gallery))]
        case .removeGallery: return [.removeGallery(try needed(step.gallery))]
        case .removeModel: return [.removeModel(try needed(step.model))]
        case .replaceModel: return [try replacement(of: try needed(step.model))]
        }
    }

    private func needed<T>(_ value: T?) throws -> T {
        guard let value else {
            throw DecodingError.valueNotFound(T.self, .init(codingPath: [], debugDescription: "a change lacks it"))
        }
        return value
    }

    /// All of a model's vectors, as they are now.
    private func replacement(of model: String) throws -> IndexChange {
        let loaded = IndexRegistry(holds: holdsVectors)
        let row = try db.value(Int64.self, "SELECT id FROM live_model WHERE digest = ?", [model])
        if let row { try SQLStore.load(db, into: loaded, model: row) }
        return .replaceModel(model, by: loaded)
    }
}
