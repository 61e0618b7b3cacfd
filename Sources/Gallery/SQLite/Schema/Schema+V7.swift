import GRDB

extension Schema {
    /// Where in its kept images a sighting is, by modality, as `{"rgb": [x, y, width, height]}`. Beside the images' bytes SQLite
    /// would have to go through an image's pages to read a box, and every list of sightings shows them.
    static func createBoxes(_ db: Database) throws {
        try db.execute(sql: "ALTER TABLE sighting ADD COLUMN boxes TEXT CHECK (json_type(boxes) = 'object')")
    }
}
