import ArgumentParser
import Foundation
import Gallery

/// `triptych backup`.
struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copies a gallery's database and models to a folder, while a server uses them.",
        discussion: """
            One consistent state, verified. What has not changed since the last backup to the same folder is not copied again. \
            All files are readable by their owner alone.
            """)

    @Argument(help: "The database.")
    var database: String
    @Option(help: "The folder that the backup goes to.")
    var to: String
    @Option(help: "The folder of models (default: the database's path and -models).")
    var models: String?

    func run() throws {
        let backup = GalleryBackup(folder: to)
        let outcome = try backup.make(of: database, models: models ?? database + "-models") {
            FileHandle.standardError.write(Data("\($0)\n".utf8))
        }
        let changed = outcome.copiesDatabase ? "database copied" : "the database has not changed"
        print(
            "\(outcome.manifest.sightings) sightings, \(outcome.manifest.models.count) models: \(changed), "
                + "\(outcome.models) models copied, verified")
    }
}

/// `triptych restore`.
struct Restore: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Puts a backup in the place of a database that no server has open.",
        discussion: """
            What was erased since the backup was made is left out, as far as the database in place tells, unless \
            --bring-back-erased is given; that is also what restores where the database in place cannot be read. The database in place is kept beside the restored one as NAME.replaced: remove it when \
            it is no longer needed.
            """)

    @Argument(help: "The backup's folder.")
    var folder: String
    @Option(help: "The database.")
    var database: String
    @Option(help: "The folder of models (default: the database's path and -models).")
    var models: String?
    @Flag(help: "Restore also what was erased since.")
    var bringBackErased = false
    @Flag(help: "Only say what was erased since and would be left out.")
    var dryRun = false

    func run() throws {
        let restore = GalleryRestore(
            GalleryBackup(folder: folder), to: database, models: models ?? database + "-models")
        if dryRun {
            try restore.backup.verify()
            return tell(try restore.erased(), "would be left out")
        }
        let erased = try restore.run(bringingBack: bringBackErased)
        tell(erased, bringBackErased ? "came back" : "were left out")
        print("restored \(database)")
    }

    private func tell(_ erased: GalleryRestore.Erased?, _ what: String) {
        guard let erased else {
            return print("there is no readable database in place: what was erased since the backup is not known")
        }
        for name in erased.first { print("erased since: \(name)") }
        if erased.count > erased.first.count { print("and \(erased.count - erased.first.count) more") }
        print("\(erased.count) sightings that were erased since the backup \(what)")
    }
}
