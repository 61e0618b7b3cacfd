/// What PostgreSQL's catalogue says of the tables, and what it takes for granted: constraints hold for rows that were written under
/// them, which those of a dump, or of a session that had its triggers switched off, need not have been.
///
/// Pages are `pg_amcheck`'s and the data checksums' to examine, which take a superuser.
enum PostgreSQLStructure {
    static func examine(_ db: any SQLSession, _ report: inout GalleryCheck.Report) throws {
        try db.forEach(unsound, []) { report.add("schema", $0[0]) }
        for row in try db.rows(references) {
            let count: Int = try db.only(row[1])[0]
            if count > 0 { report.add("references", "\(count) rows of \(row[0] as String) belong to nothing") }
        }
        for owner in ["sighting", "embedding"] {
            let count: Int = try db.only(
                """
                SELECT COUNT(*) FROM \(owner)_digest d
                WHERE NOT EXISTS (SELECT 1 FROM \(owner) o WHERE o.id = d.\(owner)_id)
                """)[0]
            if count > 0 { report.add("references", "\(count) rows of \(owner)_digest belong to nothing") }
        }
    }

    /// What the index of metadata holds, as the triggers write it.
    static func fieldValues(of owner: String) -> String {
        """
        SELECT o.gallery_id, j.key, CASE json_typeof(j.value) WHEN 'string' THEN j.value #>> '{}' END,
            CASE json_typeof(j.value) WHEN 'number' THEN (j.value #>> '{}')::double precision END,
            CASE json_typeof(j.value) WHEN 'boolean' THEN (j.value #>> '{}')::boolean::integer::bigint END, o.id
        FROM \(owner) o, json_each(o.metadata::json) j WHERE json_typeof(j.value) IN ('string', 'number', 'boolean')
        """
    }

    /// Selects, in words, what keeps the tables from staying as they must.
    private static let unsound = """
        SELECT 'the trigger ' || t.tgname || ' of ' || r.relname || ' is switched off' FROM pg_trigger t
        JOIN pg_class r ON r.oid = t.tgrelid
        WHERE r.relnamespace = current_schema()::regnamespace AND t.tgenabled NOT IN ('O', 'A')
        UNION ALL SELECT 'the index ' || r.relname || ' is not valid: REINDEX makes it anew' FROM pg_index i
        JOIN pg_class r ON r.oid = i.indexrelid WHERE r.relnamespace = current_schema()::regnamespace AND NOT i.indisvalid
        UNION ALL SELECT 'the constraint ' || c.conname || ' was not validated' FROM pg_constraint c
        WHERE c.connamespace = current_schema()::regnamespace AND NOT c.convalidated
        UNION ALL SELECT 'the table ' || r.relname || ' is unlogged, and empty after a crash' FROM pg_class r
        WHERE r.relnamespace = current_schema()::regnamespace AND r.relkind = 'r' AND r.relpersistence = 'u' ORDER BY 1
        """

    /// Selects the name of each foreign key's table, and the statement that counts its rows to which it does not apply.
    private static let references = """
        SELECT c.conrelid::regclass::text, format('SELECT COUNT(*) FROM %s c WHERE %s AND NOT EXISTS (SELECT 1 FROM %s p WHERE %s)',
            c.conrelid::regclass, string_agg(format('c.%I IS NOT NULL', a.attname), ' AND ' ORDER BY k.place), c.confrelid::regclass,
            string_agg(format('c.%I = p.%I', a.attname, b.attname), ' AND ' ORDER BY k.place))
        FROM pg_constraint c, unnest(c.conkey, c.confkey) WITH ORDINALITY AS k (child, parent, place)
        JOIN pg_attribute a ON a.attnum = k.child JOIN pg_attribute b ON b.attnum = k.parent
        WHERE c.contype = 'f' AND c.connamespace = current_schema()::regnamespace AND a.attrelid = c.conrelid
            AND b.attrelid = c.confrelid GROUP BY c.oid, c.conrelid, c.confrelid, c.conname ORDER BY c.conname
        """
}
