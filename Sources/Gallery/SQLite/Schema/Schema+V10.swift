import GRDB

extension Schema {
    /// What analyses of a gallery have found: the latest of each kind and model. A document names nothing but rows; a map's points go
    /// with their sightings.
    static func createAnalyses(_ db: Database) throws {
        for statement in analyses { try db.execute(sql: statement) }
    }

    private static let analyses = [
        """
        CREATE TABLE analysis (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            gallery_id INTEGER NOT NULL REFERENCES gallery (id) ON DELETE CASCADE,
            model_id INTEGER NOT NULL REFERENCES model (id) ON DELETE CASCADE,
            kind TEXT NOT NULL CHECK (kind IN ('evaluation', 'map')),
            created_at INTEGER NOT NULL,
            document TEXT NOT NULL CHECK (json_type(document) = 'object'),
            UNIQUE (gallery_id, kind, model_id)
        ) STRICT
        """,
        "CREATE INDEX analysis_of_model ON analysis (model_id)",
        """
        CREATE TABLE map_point (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            analysis_id INTEGER NOT NULL REFERENCES analysis (id) ON DELETE CASCADE,
            sighting_id INTEGER NOT NULL REFERENCES sighting (id) ON DELETE CASCADE,
            x REAL NOT NULL CHECK (x BETWEEN -1 AND 1),
            y REAL NOT NULL CHECK (y BETWEEN -1 AND 1)
        ) STRICT
        """,
        "CREATE INDEX map_point_of_analysis ON map_point (analysis_id, id)",
        "CREATE INDEX map_point_of_sighting ON map_point (sighting_id)",
    ]
}
