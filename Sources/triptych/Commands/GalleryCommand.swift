import ArgumentParser
import Foundation
import Gallery

/// `triptych gallery`.
struct GalleryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gallery",
        abstract: "Makes, changes, erases and moves galleries of a running server; examines and copies a database.",
        subcommands: [
            ListGalleriesCommand.self, ShowGalleryCommand.self, CreateGalleryCommand.self, UpdateGalleryCommand.self,
            EraseGalleryCommand.self, ThresholdsCommand.self, CalibrateCommand.self, GalleryExportCommand.self,
            GalleryImportCommand.self, CheckCommand.self, CopyCommand.self, RecallCommand.self,
        ])
}

/// `triptych gallery check`.
private struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Looks for damage in a database that no server has open.",
        discussion: """
            Reads every page and row: whether the file, or the server's tables, are sound, what was enrolled is as it was, vectors can \
            be compared, counts and the index of metadata are true, and no committed transaction of a file is missing. Ends with 1 if \
            something is wrong. A repair makes anew what follows from the rest; what was lost comes back from a backup alone.
            """)

    @Argument(help: "The database: a file, or postgresql://USER@HOST/NAME.")
    var database: String
    @Flag(help: "Say what can be repaired, and after --yes or a y on the terminal do it.")
    var repair = false
    @Flag(help: "Repair without asking.")
    var yes = false
    @Flag(help: "Print the report as JSON.")
    var json = false

    func run() async throws {
        let check = try await GalleryCheck(path: database)
        let progress = Progress("checking", unit: "rows")
        let report = try await check.examine { progress.update($0, of: $1) }
        try tell(report)
        var isRepaired = false
        if repair, report.findings.contains(where: { $0.repair != nil }), confirmed() {
            try await check.repair()
            let after = try await check.examine()
            if !json { print(after.count == 0 ? "repaired" : "still wrong: \(after.count)") }
            isRepaired = after.count == 0
        }
        try await check.close()
        if report.count > 0 && !isRepaired { throw ExitCode(1) }
    }

    private func tell(_ report: GalleryCheck.Report) throws {
        if json { return try Output.json(report) }
        for finding in report.findings {
            let repair = finding.repair.map { "; a repair would \($0)" } ?? ""
            print("\(finding.kind): \(finding.detail)\(repair)")
        }
        let undigested = report.undigested > 0 ? ", \(report.undigested) rows without a digest" : ""
        print(
            "\(report.sightings) sightings, \(report.embeddings) embeddings\(undigested): "
                + (report.count == 0 ? "nothing is wrong" : "\(report.count) findings"))
    }

    private func confirmed() -> Bool {
        if yes { return true }
        guard isatty(STDIN_FILENO) == 1 else { return false }
        print("Repair? [y/N] ", terminator: "")
        return readLine()?.lowercased() == "y"
    }
}

/// `triptych gallery copy`.
private struct CopyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy",
        abstract: "Copies all that a database keeps into another, empty one, and compares the two.",
        discussion: """
            From SQLite to PostgreSQL, the way back, or between two of a kind; no server may have either. The copy is one \
            transaction, read back before it is committed: it is whole and equal, or nothing is there. Models' files are not in a \
            database: the server of the copy takes the same folder.
            """)

    @Option(help: "The database: a file, or postgresql://USER@HOST/NAME.")
    var from: String
    @Option(help: "The empty one, made if it is a file that does not exist.")
    var to: String
    @Flag(help: "Print what was copied as JSON.")
    var json = false

    private struct Copied: Encodable {
        let rows: [String: Int]
        let digest: String
    }

    func run() async throws {
        let progress = Progress("copying", unit: "rows")
        let report = try await GalleryCopy.run(from: from, to: to) { progress.update($0, of: $1) }
        if json {
            let rows = Dictionary(uniqueKeysWithValues: report.rows.map { ($0.table, $0.count) })
            return try Output.json(Copied(rows: rows, digest: report.digest))
        }
        Output.table([["table", "rows"]] + report.rows.filter { $0.count > 0 }.map { [$0.table, "\($0.count)"] })
        print("both have the same rows; SHA-256 \(report.digest)")
    }
}

/// `triptych gallery recall`.
private struct RecallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recall",
        abstract: "Measures what the index of a PostgreSQL database finds.",
        discussion: """
            For a database that is served with gallery.index: pgvector. Looks for some of a gallery's sightings among all others, by \
            each set of modalities, once as queries do and once by comparing all: recall at 1 is the share of them whose nearest \
            was found, recall at 10 the share of their ten nearest. Reads alone; a server may have the database.
            """)

    @Option(help: "The database: postgresql://USER@HOST/NAME.")
    var database: String
    @Option(help: "The gallery.")
    var gallery: String
    @Option(help: "The model's digest; without it the active model's.")
    var model: String?
    @Option(help: "How many sightings are looked for, 1 to 10000.")
    var samples = 100
    @Option(help: "What they are drawn by.")
    var seed: UInt64 = 1
    @Flag(help: "Print the figures as JSON.")
    var json = false

    func run() async throws {
        let recalls = try await IndexRecall.measure(
            database, gallery: gallery, model: model, samples: samples, seed: seed)
        if json { return try Output.json(recalls) }
        let share = { (value: Double) in String(format: "%.3f", value) }
        let header = ["modalities", "queries", "exact", "recall@1", "recall@10", "ms", "ms, all compared"]
        Output.table(
            [header]
                + recalls.map { recall in
                    [
                        recall.modalities.joined(separator: "+"), "\(recall.queries)", "\(recall.exact)",
                        share(recall.atOne), share(recall.atTen), String(format: "%.1f", recall.milliseconds),
                        String(format: "%.1f", recall.exhaustiveMilliseconds),
                    ]
                })
    }
}
