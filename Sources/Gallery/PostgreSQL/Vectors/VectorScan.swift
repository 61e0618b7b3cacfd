/// Asks a database for a gallery's sightings that are nearest to a vector, by half-precision products.
struct VectorScan {
    /// A sighting, by rows, and what it scores at half precision.
    struct Row {
        let sighting: Int64
        let identity: Int64
        let camera: String?
        let score: Float
    }

    let schema: VectorSchema
    let gallery: Int64
    let layout: VectorLayout
    let plan: VectorLayout.Plan
    /// Whether all are compared as a matter of course.
    let isSmall: Bool

    /// The nearest that pgvector's index finds of one part, about in order.
    ///
    /// An index gives a few and goes on from there as long as conditions leave too few of them, up to a bound.
    func indexed(
        _ term: VectorLayout.Plan.Term, _ conditions: VectorConditions, limit: Int, _ db: any SQLSession
    ) throws -> [Row] {
        _ = try db.rows(Self.indexedSettings, ["\(min(max(limit / 4, 100), 1000))"])
        let type = schema.type(term.vector.count)
        // With its numbers in the text: by them an index is chosen.
        return try rows(
            """
            SELECT v.sighting_id, s.identity_id, s.camera,
                CAST(v.unit AS \(sql: type)) \(sql: schema.product) CAST(\(HalfVector.bytes(term.vector)) AS \(sql: type))
            FROM search_vector v JOIN live_sighting s ON s.id = v.sighting_id
            WHERE v.layout_id = \(sql: "\(layout.id)") AND v.part = \(sql: "\(term.part)") AND v.gallery_id = \(gallery)\(part: conditions.visited)
            ORDER BY 4 LIMIT \(limit)
            """, db)
    }

    /// See `VectorConditions`.
    func admitted(_ conditions: VectorConditions, most: Int, _ db: any SQLSession) throws -> [Int64]? {
        _ = try db.rows(Self.exactSettings, ["on"])
        return try conditions.admitted(most: most, db)
    }

    /// The nearest of all, in order, and how many there are.
    func exact(
        _ conditions: VectorConditions, limit: Int, _ db: any SQLSession
    ) throws -> (rows: [Row], count: Int) {
        _ = try db.rows(Self.exactSettings, [isSmall ? "off" : "on"])
        let others = plan.terms.indices.dropFirst().map { place in
            """
             JOIN search_vector v\(place) ON v\(place).sighting_id = v0.sighting_id
                AND v\(place).layout_id = v0.layout_id AND v\(place).part = \(plan.terms[place].part)
            """
        }
        var count = 0
        // Counted apart: by OFFSET the products are made first, else whatever counts would keep all vectors, on the disk.
        let rows = try rows(
            """
            SELECT compared.*, COUNT(*) OVER () FROM (
                SELECT v0.sighting_id, s.identity_id, s.camera, \(part: distance)
                FROM search_vector v0\(sql: others.joined()) JOIN live_sighting s ON s.id = v0.sighting_id
                WHERE v0.layout_id = \(layout.id) AND v0.part = \(plan.terms[0].part) AND v0.gallery_id = \(gallery)\(part: conditions.joined)
                OFFSET 0
            ) compared ORDER BY 4, 1 LIMIT \(limit)
            """, db
        ) { count = $0[4] }
        return (rows, count)
    }

    /// How far what a row scores here may be below what its sighting does.
    var slack: Float {
        let widest = plan.terms.map(\.vector.count).max() ?? 0
        if plan.only != nil { return HalfVector.slack(widest) }
        // Blocks are at right angles; of a sum the rows have a bound of their own.
        return layout.table.space.combination == .sum
            ? 1e-5 : HalfVector.slack(widest) * Float(plan.terms.count).squareRoot() + 1e-5
    }

    /// How many there are.
    func count(_ conditions: VectorConditions, _ db: any SQLSession) throws -> Int {
        _ = try db.rows(Self.exactSettings, [isSmall ? "off" : "on"])
        let statement: SQLFragment = """
            SELECT COUNT(*) FROM search_vector v JOIN live_sighting s ON s.id = v.sighting_id
            WHERE v.layout_id = \(layout.id) AND v.part = 0 AND v.gallery_id = \(gallery)\(part: conditions.joined)
            """
        return try db.only(statement.sql, statement.arguments)[0]
    }

    /// The negative score, as no index has it. Of several parts it is their sum, each by its share of what they make together.
    private var distance: SQLFragment {
        if plan.terms.count == 1 { return "\(part: product(0)) + 0" }
        let places = plan.terms.indices
        let sum = places.map { "v\(sql: "\($0)").length * \(part: product($0))" as SQLFragment }.joined(
            separator: " + ")
        let squares = places.map { "v\($0).length * v\($0).length" }.joined(separator: " + ")
        guard layout.table.space.combination == .sum else {
            return "(\(part: sum)) / sqrt(greatest(\(sql: squares), 1e-30))"
        }
        return summed(sum, squares)
    }

    /// Of vectors that are added: the most that it can be. What they make together may be short, and then half precision says little.
    private func summed(_ sum: SQLFragment, _ squares: String) -> SQLFragment {
        let slack = HalfVector.slack(plan.terms[0].vector.count)
        let lengths = plan.terms.indices.map { "v\($0).length" }.joined(separator: " + ")
        let pairs = plan.terms.indices.flatMap { first in
            plan.terms.indices.filter { $0 > first }.map { second in
                "2 * v\(first).length * v\(second).length * "
                    + "((v\(first).unit \(schema.product) v\(second).unit) + \(slack))"
            }
        }
        return """
            -least(greatest(\(sql: "\(slack)") * (\(sql: lengths)) - (\(part: sum)), 0)
                / sqrt(greatest(\(sql: squares) - (\(sql: pairs.joined(separator: " + "))), 1e-12)), 1.0)
            """
    }

    private func product(_ place: Int) -> SQLFragment {
        let vector = HalfVector.bytes(plan.terms[place].vector)
        return "(v\(sql: "\(place)").unit \(sql: schema.product) CAST(\(vector) AS \(sql: schema.type())))"
    }

    private func rows(
        _ statement: SQLFragment, _ db: any SQLSession, _ look: (SQLRow) -> Void = { _ in }
    ) throws -> [Row] {
        var rows: [Row] = []
        try db.forEach(statement.sql, statement.arguments) { row in
            look(row)
            let distance: Double = row[3]
            rows.append(Row(sighting: row[0], identity: row[1], camera: row[2], score: Float(-distance)))
        }
        return rows
    }

    /// Without sorting there is no plan but by the index, however few the planner takes for what.
    private static let indexedSettings = """
        SELECT set_config('enable_sort', 'off', TRUE), set_config('enable_seqscan', 'off', TRUE),
            set_config('enable_material', 'off', TRUE), set_config('enable_nestloop', 'on', TRUE),
            set_config('jit', 'off', TRUE), set_config('hnsw.iterative_scan', 'relaxed_order', TRUE),
            set_config('hnsw.max_scan_tuples', '5000', TRUE), set_config('hnsw.ef_search', ?, TRUE)
        """

    /// A planner that does not know yet how many rows there are would look each up among all.
    private static let exactSettings = """
        SELECT set_config('enable_sort', 'on', TRUE), set_config('enable_seqscan', 'on', TRUE),
            set_config('enable_material', 'on', TRUE), set_config('jit', 'off', TRUE),
            set_config('enable_nestloop', ?, TRUE)
        """
}
