import Foundation

/// The tables of a database that is searched itself, which are made when that is first asked for: they need pgvector.
///
/// `search_vector` has the unit vectors of each sighting, a row a part: those that `VectorLayout` names. Its partitions are by the
/// sighting's number, so that one large gallery is spread too; each may be another server's (`postgres_fdw`), or have a disk of its own.
/// `vector_count` and deletions follow by triggers, whichever release or mode writes; `vector_schema.complete_through` is the last
/// embedding up to which all have their rows, from where a start goes on.
struct VectorSchema: Sendable {
    /// Where in the database the extension is, as an identifier.
    let schema: String

    /// Of `search_vector`.
    static let partitions = 8
    /// What an index of pgvector takes of half-precision elements.
    static let largestIndexed = 4000
    private static let version: Int64 = 1
    /// The first with iterative scans.
    private static let oldest = "0.8.0"

    /// The type of vectors, of so many elements or of any number.
    func type(_ dimension: Int? = nil) -> String { "\(schema).halfvec" + (dimension.map { "(\($0))" } ?? "") }
    /// The operator of the negative inner product.
    var product: String { "OPERATOR(\(schema).<#>)" }

    /// Makes the extension and the tables if they are not there. Throws `GalleryError.unsupported` where there is no pgvector, one that
    /// is too old, or no right to make it.
    static func prepare(_ connection: PostgreSQLConnection, _ address: PostgreSQLAddress) throws -> VectorSchema {
        let schema = VectorSchema(schema: try self.extension(connection, address))
        try connection.inTransaction { db in
            _ = try db.rows(PostgreSQLSchema.call("pg_advisory_xact_lock", PostgreSQLSchema.migrationLock))
            let isThere = try db.value(Bool.self, isThere) == true
            if !isThere { for statement in schema.tables { try connection.run(statement) } }
            let found: Int64 = try db.only("SELECT version FROM vector_schema")[0]
            guard found <= version else { throw GalleryError.newerSchema(found: Int(found), supported: Int(version)) }
        }
        return schema
    }

    /// Servers that share a database search it alike, as those that hold vectors in memory do not write what is searched here. "TRPH",
    /// "TRPV": locks of those that hold them, and of those that do not.
    private static let (holding, searching) = (0x5452_5048, 0x5452_5056)

    /// For as long as the connection lasts. Throws `GalleryError.unsupported` where a server of the other kind is there.
    static func agree(_ connection: PostgreSQLConnection, isSearched: Bool) throws {
        let (own, other) = isSearched ? (searching, holding) : (holding, searching)
        let isAlike = try connection.inTransaction { db -> Bool in
            // One after the other: each looks whether it could keep all others out.
            _ = try db.rows(PostgreSQLSchema.call("pg_advisory_xact_lock", PostgreSQLSchema.migrationLock))
            guard try db.value(Bool.self, PostgreSQLSchema.call("pg_try_advisory_lock_shared", own)) == true else {
                return false
            }
            return try db.value(Bool.self, PostgreSQLSchema.call("pg_try_advisory_xact_lock", other)) == true
        }
        guard isAlike else {
            throw GalleryError.unsupported(
                "gallery.index: expected the same for all servers that share the database, found \(isSearched ? "memory" : "pgvector") there"
            )
        }
    }

    /// Of a database that was searched itself before; nil for another.
    static func find(_ db: any SQLSession) throws -> VectorSchema? {
        guard try db.value(Bool.self, isThere) == true else { return nil }
        return try db.value(String.self, known).map(VectorSchema.init)
    }

    private static let isThere = "SELECT to_regclass(format('%I.vector_schema', current_schema())) IS NOT NULL"
    private static let known = """
        SELECT quote_ident(n.nspname), x.extversion FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace
        WHERE x.extname = 'vector'
        """

    /// The extension's schema.
    private static func `extension`(_ connection: PostgreSQLConnection, _ address: PostgreSQLAddress) throws -> String {
        var row = try connection.reading { try $0.first(known) }
        if row == nil {
            try make(connection, address)
            row = try connection.reading { try $0.first(known) }
        }
        guard let row else { throw GalleryError.storage("the extension vector was made and is not there") }
        let version: String = row[1]
        guard version.compare(oldest, options: .numeric) != .orderedAscending else {
            throw GalleryError.unsupported(
                "\(address.text) has pgvector \(version), expected \(oldest) or later: update it, and run ALTER EXTENSION vector UPDATE"
            )
        }
        return row[0]
    }

    private static func make(_ connection: PostgreSQLConnection, _ address: PostgreSQLAddress) throws {
        let offered = try connection.reading {
            try $0.value(String.self, "SELECT default_version FROM pg_available_extensions WHERE name = 'vector'")
        }
        guard let offered, offered.compare(oldest, options: .numeric) != .orderedAscending else {
            throw GalleryError.unsupported(
                "gallery.index: expected pgvector \(oldest) or later at \(address.text), found \(offered ?? "none")")
        }
        do {
            try connection.run("CREATE EXTENSION IF NOT EXISTS vector")
        } catch let error as PostgreSQLError where error.state == "42501" {
            throw GalleryError.unsupported(
                "gallery.index: the role has no right to make the extension: have a superuser run CREATE EXTENSION vector in "
                    + address.text)
        }
    }

    private var tables: [String] {
        [
            """
            CREATE TABLE vector_schema (
                only_row bigint PRIMARY KEY CHECK (only_row = 1), version bigint NOT NULL, complete_through bigint NOT NULL
            )
            """,
            "INSERT INTO vector_schema VALUES (1, \(Self.version), 0)",
            """
            CREATE TABLE vector_layout (
                id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
                model_id bigint NOT NULL REFERENCES model (id) ON DELETE CASCADE,
                kind text COLLATE "C" NOT NULL,
                UNIQUE (model_id, kind)
            )
            """,
            """
            CREATE TABLE vector_part (
                layout_id bigint NOT NULL REFERENCES vector_layout (id) ON DELETE CASCADE,
                part bigint NOT NULL,
                dimension bigint NOT NULL,
                is_indexed bigint NOT NULL DEFAULT 0 CHECK (is_indexed IN (0, 1)),
                PRIMARY KEY (layout_id, part)
            )
            """,
            """
            CREATE TABLE vector_count (
                gallery_id bigint NOT NULL REFERENCES gallery (id) ON DELETE CASCADE,
                layout_id bigint NOT NULL REFERENCES vector_layout (id) ON DELETE CASCADE,
                sightings bigint NOT NULL,
                PRIMARY KEY (gallery_id, layout_id)
            )
            """,
            """
            CREATE TABLE search_vector (
                sighting_id bigint NOT NULL,
                layout_id bigint NOT NULL,
                part bigint NOT NULL,
                gallery_id bigint NOT NULL,
                length double precision NOT NULL,
                unit \(type()) NOT NULL
            ) PARTITION BY HASH (sighting_id)
            """,
            // Whoever filters by it asks first how many there are.
            "CREATE INDEX sighting_of_camera ON sighting (gallery_id, camera, id) WHERE camera IS NOT NULL",
        ] + partitioning + triggers
    }

    /// Vectors stay in their rows as long as they fit a page: whoever scans them all would fetch each from elsewhere. Each partition has
    /// its own key, as one of the whole would keep foreign tables out.
    private var partitioning: [String] {
        (0..<Self.partitions).flatMap { number in
            [
                """
                CREATE TABLE search_vector_\(number) PARTITION OF search_vector
                FOR VALUES WITH (MODULUS \(Self.partitions), REMAINDER \(number)) WITH (toast_tuple_target = 8160)
                """,
                "CREATE UNIQUE INDEX search_vector_\(number)_key ON search_vector_\(number) (sighting_id, layout_id, part)",
            ]
        } + ["CREATE INDEX search_vector_of_gallery ON search_vector (gallery_id, layout_id, part)"]
    }

    private var triggers: [String] {
        let delete = """
            DELETE FROM search_vector WHERE sighting_id = OLD.sighting_id
                AND layout_id IN (SELECT id FROM vector_layout WHERE model_id = OLD.model_id);
            """
        return PostgreSQLSchema.trigger("embedding_unsearched", "AFTER DELETE ON embedding", delete)
            + PostgreSQLSchema.trigger(
                "embedding_changed", "AFTER UPDATE OF is_fused, vectors ON embedding",
                """
                \(delete)
                UPDATE vector_schema SET complete_through = least(complete_through, NEW.id - 1);
                """)
            + PostgreSQLSchema.trigger(
                "search_vector_made", "AFTER INSERT ON search_vector", when: "NEW.part = 0",
                """
                INSERT INTO vector_count VALUES (NEW.gallery_id, NEW.layout_id, 1)
                ON CONFLICT (gallery_id, layout_id) DO UPDATE SET sightings = vector_count.sightings + 1;
                """)
            + PostgreSQLSchema.trigger(
                "search_vector_gone", "AFTER DELETE ON search_vector", when: "OLD.part = 0",
                """
                UPDATE vector_count SET sightings = sightings - 1
                WHERE gallery_id = OLD.gallery_id AND layout_id = OLD.layout_id;
                """)
    }
}
