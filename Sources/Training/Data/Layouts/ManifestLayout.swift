import Foundation
import Inference

/// A list of images in a CSV file: one sighting a row, its images anywhere.
struct ManifestLayout: DatasetLayout {
    let name = "csv"
    let signature = "a file .csv, or manifest.csv in a folder, with the header \(Self.header)"
    let rule = RetrievalProtocol.scene

    static let header = "split,identity,camera,scene,rgb,nir,tir"

    private func file(_ root: URL) -> URL {
        root.pathExtension.lowercased() == "csv" ? root : root.appendingPathComponent("manifest.csv")
    }

    func isLaidOut(in root: URL) -> Bool { Folder.exists(file(root)) }

    func list(_ split: TriplesDataset.Split, in root: URL) throws(DatasetError) -> SplitListing {
        try list(split.rawValue, in: root)
    }

    /// The rows of the split `val`.
    func listValidation(in root: URL) throws(DatasetError) -> SplitListing? { try list(Self.validation, in: root) }

    private static let validation = "val"

    private func list(_ split: String, in root: URL) throws(DatasetError) -> SplitListing {
        let file = file(root)
        var rows = CSVRows.read(try ListFile.text(file))
        guard let first = rows.first, first.fields.joined(separator: ",") == Self.header else {
            let found = rows.first?.fields.joined(separator: ",") ?? "nothing"
            throw .unreadableLine(file.path, line: 1, expected: "the header \(Self.header)", found: found)
        }
        rows.removeFirst()
        var listing = SplitListing()
        for row in rows {
            guard try Self.split(row, file) == split else { continue }
            try add(row, file, to: &listing)
        }
        return listing
    }

    private static func split(_ row: CSVRows.Row, _ file: URL) throws(DatasetError) -> String {
        guard row.fields.count == 7 else {
            throw .unreadableLine(
                file.path, line: row.line, expected: "7 fields, \(header)", found: "\(row.fields.count)")
        }
        let split = row.fields[0]
        guard split == validation || TriplesDataset.Split(rawValue: split) != nil else {
            throw .unreadableLine(
                file.path, line: row.line, expected: "train, val, query or gallery as split", found: "'\(split)'")
        }
        return split
    }

    private func add(_ row: CSVRows.Row, _ file: URL, to listing: inout SplitListing) throws(DatasetError) {
        let (identity, scene) = (row.fields[1], row.fields[3])
        guard !identity.isEmpty else {
            throw .unreadableLine(file.path, line: row.line, expected: "an identity", found: "none")
        }
        guard let camera = Int(row.fields[2]) else {
            throw .unreadableLine(
                file.path, line: row.line, expected: "a number as camera", found: "'\(row.fields[2])'")
        }
        let images = zip(Modality.allCases, row.fields[4...]).filter { !$1.isEmpty }
        guard let first = images.first else {
            throw .unreadableLine(file.path, line: row.line, expected: "at least one image", found: "none")
        }
        let folder = file.deletingLastPathComponent()
        for (modality, path) in images {
            listing.addListed(
                URL(fileURLWithPath: path, relativeTo: folder).standardizedFileURL, modality,
                name: (first.1 as NSString).deletingPathExtension,
                .init(identity: identity, camera: camera, scene: scene.isEmpty ? nil : scene), list: file)
        }
    }
}

/// Rows of comma-separated values (RFC 4180): fields may be quoted, lines end with or without a carriage return.
enum CSVRows {
    struct Row {
        /// From 1, where it begins.
        let line: Int
        var fields: [String]
    }

    /// Rows that are not blank. O(characters).
    static func read(_ text: String) -> [Row] {
        var rows: [Row] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated()
        where !line.isEmpty {
            rows.append(Row(line: index + 1, fields: fields(line)))
        }
        return rows
    }

    /// A quote within quotes is written twice. A field does not go over a line: none of a manifest's has reason to.
    private static func fields(_ line: Substring) -> [String] {
        var fields = [""]
        var isQuoted = false
        var before: Character?
        for character in line {
            if character == "\"" {
                if !isQuoted, before == "\"" { fields[fields.count - 1].append("\"") }
                isQuoted.toggle()
            } else if character == ",", !isQuoted {
                fields.append("")
            } else {
                fields[fields.count - 1].append(character)
            }
            before = character
        }
        return fields
    }
}
