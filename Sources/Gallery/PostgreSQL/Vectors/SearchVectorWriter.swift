import Foundation

/// Writes what a database that is searched itself must know of sightings, in the transaction that enrols them.
struct SearchVectorWriter: Sendable {
    /// Rows that one statement inserts.
    private static let mostRows = 64
    /// Embeddings that are read and written at a time.
    private static let batch: Int64 = 256
    /// Elements that pgvector keeps at half precision.
    private static let largestDimension = 16_000

    let schema: VectorSchema

    /// What follows from the changes of a transaction. Deletions follow by triggers, and where and whose a sighting is is read from
    /// its own row.
    func write(_ changes: [IndexChange], _ db: any SQLSession) throws {
        var layouts = Layouts()
        var rows: [Row] = []
        for change in changes {
            switch change {
            case .append(let entry, _, let key, let space):
                rows += try self.rows(entry, key, space, &layouts, db)
            case .replaceModel(let model, _): try rewrite(model, db)
            default: break
            }
        }
        try insert(rows, db)
    }

    /// Rows of one sighting.
    fileprivate struct Row {
        let sighting: Int64
        let layout: Int64
        let part: Int
        let gallery: Int64
        let length: Float
        let unit: [Float]
    }

    /// Known rows of models and of kinds of sightings, within a transaction.
    private struct Layouts {
        struct Kind: Hashable {
            let model: String
            let kind: String
        }

        var rows: [Kind: Int64] = [:]
    }

    /// None of vectors that cannot be compared.
    private func rows(
        _ entry: VectorIndex.Entry, _ key: IndexRegistry.Key, _ space: VectorSpace, _ layouts: inout Layouts,
        _ db: any SQLSession
    ) throws -> [Row] {
        guard let vectors = VectorCombination(entry.vectors, in: space), let made = VectorLayout.parts(of: vectors)
        else { return [] }
        let kind = Layouts.Kind(model: key.model, kind: VectorLayout.kind(made.table))
        let layout = try layouts.rows[kind] ?? self.layout(kind, made.table, db)
        layouts.rows[kind] = layout
        return made.parts.enumerated().map { part, vector in
            Row(
                sighting: entry.sighting, layout: layout, part: part, gallery: key.gallery, length: vector.length,
                unit: vector.unit)
        }
    }

    private func layout(_ kind: Layouts.Kind, _ table: VectorTable, _ db: any SQLSession) throws -> Int64 {
        let model: Int64 = try db.only("SELECT id FROM model WHERE digest = ?", [kind.model])[0]
        let known = "SELECT id FROM vector_layout WHERE model_id = ? AND kind = ?"
        if let known = try db.value(Int64.self, known, [model, kind.kind]) { return known }
        let dimensions = VectorLayout.dimensions(of: table)
        if let large = dimensions.first(where: { $0 > Self.largestDimension }) {
            throw GalleryError.unsupported(
                "gallery.index: pgvector takes vectors of up to \(Self.largestDimension) elements, found \(large)")
        }
        let id = try db.insert("INSERT INTO vector_layout (model_id, kind) VALUES (?, ?)", [model, kind.kind])
        for (part, dimension) in dimensions.enumerated() {
            try db.execute(
                "INSERT INTO vector_part (layout_id, part, dimension) VALUES (?, ?, ?)", [id, part, dimension])
        }
        return id
    }

    private func insert(_ rows: [Row], _ db: any SQLSession) throws {
        for start in stride(from: 0, to: rows.count, by: Self.mostRows) {
            let some = rows[start..<min(start + Self.mostRows, rows.count)]
            let place = "(?, ?, ?, ?, ?, CAST(? AS \(schema.type())))"
            try db.execute(
                """
                INSERT INTO search_vector (sighting_id, layout_id, part, gallery_id, length, unit)
                VALUES \(Array(repeating: place, count: some.count).joined(separator: ", ")) ON CONFLICT DO NOTHING
                """, some.flatMap { $0.arguments })
        }
    }
}

extension SearchVectorWriter {
    /// Of a model whose vectors were taken apart anew.
    private func rewrite(_ model: String, _ db: any SQLSession) throws {
        let row: Int64 = try db.only("SELECT id FROM model WHERE digest = ?", [model])[0]
        try db.execute(
            "DELETE FROM search_vector WHERE layout_id IN (SELECT id FROM vector_layout WHERE model_id = ?)", [row])
        let last = try db.value(Int64.self, "SELECT MAX(id) FROM embedding WHERE model_id = ?", [row]) ?? 0
        for start in stride(from: 1, through: last, by: Int(Self.batch)) {
            try fill(start..<start + Self.batch, model: row, db)
        }
    }

    /// Writes what is missing of the embeddings after those that have all their rows, about so many. Says which vectors cannot be used,
    /// and whether there are more.
    func fillNext(_ db: any SQLSession) throws -> (damaged: DamagedVectors, isDone: Bool) {
        let row = try db.only(
            "SELECT complete_through, COALESCE((SELECT MAX(id) FROM embedding), 0) FROM vector_schema")
        let (through, last): (Int64, Int64) = (row[0], row[1])
        if through >= last { return (DamagedVectors(), true) }
        // Numbers have gaps, of whole imports that were erased.
        let start = try db.value(Int64.self, "SELECT MIN(id) FROM embedding WHERE id > ?", [through]) ?? last
        let end = start + Self.batch
        let damaged = try fill(start..<end, model: nil, db)
        try db.execute("UPDATE vector_schema SET complete_through = ?", [min(end - 1, last)])
        return (damaged, end > last)
    }

    @discardableResult private func fill(
        _ range: Range<Int64>, model: Int64?, _ db: any SQLSession
    ) throws -> DamagedVectors {
        var (damaged, changes) = (DamagedVectors(), [IndexChange]())
        try db.forEach(StartStatement.everyVector, [range.lowerBound, range.upperBound, model]) { row in
            guard let (entry, key, space) = SQLStore.entry(row), VectorCombination(entry.vectors, in: space) != nil
            else { return damaged.add(sighting: row[5], model: row[1]) }
            changes.append(.append(entry, row: 0, to: key, space: space))
        }
        try write(changes, db)
        return damaged
    }
}

extension SearchVectorWriter.Row {
    fileprivate var arguments: [any SQLArgument] {
        [sighting, layout, part, gallery, Double(length), HalfVector.bytes(unit)]
    }
}
