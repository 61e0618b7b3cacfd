import Documents
import Foundation
import Gallery
import Inference
import Synchronization

/// One import from its file's beginning to its end.
///
/// Two windows of lines are under way at a time, so that one is decoded while the other is encoded and committed; they are
/// committed in their order. Each takes the models that it must be embedded by for itself, so an exchange of models waits for
/// two windows, not for the import.
struct ImportRun: Sendable {
    let service: ImportService
    let file: ImportFile

    /// Lines that are encoded side by side and committed together.
    private static let atOnce = 64
    /// About how many bytes of them.
    private static let bytesAtOnce = 32 << 20
    private static let windows = 2

    private struct Window: Sendable {
        let lines: [ImportLines.Line]
        let receipts: [Result<Bool, any Error>]
    }

    /// Throws `GalleryError`, `EncoderError` or `CancellationError`.
    func run(_ job: JobHandle) async throws -> JobRecord {
        let (file, longest) = (file, service.longestLine)
        guard let gallery = file.gallery() else { throw GalleryError.storage("what was received is gone") }
        let (total, archive) = try await service.onDisk {
            var (lines, archive) = try file.contents(longest: longest)
            var count = 0
            while try lines.next() != nil { count += 1 }
            return (count, archive)
        }
        let reader = LineReader(try await service.onDisk { try file.contents(longest: longest).lines })
        let importer = ImportWindow(service: service, gallery: gallery, archive: archive)
        var tally = ImportTally()
        if let damage = archive?.damage { tally.fail(damage) }
        try await withThrowingTaskGroup(of: Window.self) { group in
            let turns = Turns()
            var (begun, isAtEnd) = (0, false)
            while true {
                while !isAtEnd, begun - tally.windows < Self.windows {
                    let lines = try await service.onDisk { try reader.next(Self.atOnce, bytes: Self.bytesAtOnce) }
                    isAtEnd = lines.isEmpty
                    if isAtEnd { break }
                    // Each line after it would fail alike.
                    try service.memory.requireRoomToEnrol()
                    group.addTask { [begun] in
                        Window(lines: lines, receipts: try await importer.run(lines, turn: begun, turns))
                    }
                    begun += 1
                }
                guard let window = try await group.next() else { break }
                tally.add(window.lines, window.receipts)
                await job.report(tally.done, of: total)
            }
        }
        return try await job.finished(tally.result)
    }
}

/// What has become of an import's lines.
private struct ImportTally {
    /// Errors that are told one by one.
    private static let mostErrors = 1000

    private(set) var windows = 0
    private(set) var done = 0
    private var (enrolled, repeated, failed) = (0, 0, 0)
    private var errors: [JSONValue] = []

    mutating func add(_ lines: [ImportLines.Line], _ receipts: [Result<Bool, any Error>]) {
        (windows, done) = (windows + 1, done + lines.count)
        for (line, receipt) in zip(lines, receipts) {
            switch receipt {
            case .success(let isReplay): if isReplay { repeated += 1 } else { enrolled += 1 }
            case .failure(let error): fail(line, error)
            }
        }
    }

    private mutating func fail(_ line: ImportLines.Line, _ error: any Error) {
        var entry: [String: JSONValue] = ["line": .integer(line.number), "reason": .string("\(error)")]
        entry["file"] = line.section.map(JSONValue.string)
        if case GalleryError.invalid(let field, _, _) = error { entry["field"] = .string(field) }
        if case DocumentError.invalid(let field, _, _) = error { entry["field"] = .string(field) }
        add(entry)
    }

    /// What is wrong with the archive.
    mutating func fail(_ damage: String) { add(["reason": .string(damage)]) }

    private mutating func add(_ entry: [String: JSONValue]) {
        failed += 1
        if errors.count < Self.mostErrors { errors.append(.object(entry)) }
    }

    var result: JSONValue {
        .object([
            "enrolled": .integer(enrolled), "repeated": .integer(repeated), "failed": .integer(failed),
            "errors": .array(errors),
        ])
    }
}

/// Lets tasks through one after the other, by their numbers.
actor Turns {
    private var next = 0
    private var isBroken = false
    private var waiting: [Int: CheckedContinuation<Void, Never>] = [:]

    /// Runs `body` when those with lower numbers have ended. Throws `CancellationError` if one of them has thrown.
    func take<T: Sendable>(_ number: Int, _ body: @Sendable () async throws -> T) async throws -> T {
        if number > next { await withCheckedContinuation { waiting[number] = $0 } }
        defer {
            next = number + 1
            waiting.removeValue(forKey: next)?.resume()
        }
        do {
            if isBroken { throw CancellationError() }
            return try await body()
        } catch {
            isBroken = true
            throw error
        }
    }
}

/// Reads lines on whichever thread asks.
private final class LineReader: Sendable {
    private let lines: Mutex<ImportLines>

    init(_ lines: ImportLines) { self.lines = Mutex(lines) }

    func next(_ most: Int, bytes: Int) throws -> [ImportLines.Line] {
        try lines.withLock { try $0.next(most, bytes: bytes) }
    }
}
