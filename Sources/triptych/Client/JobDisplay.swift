import ArgumentParser
import Foundation
import TriptychClient

/// Shows jobs: how far one is while it runs, and what became of it.
struct JobDisplay {
    let client: Client
    /// Whether what became of it is printed as JSON.
    let json: Bool

    /// Waits for a job's end and shows how far it is meanwhile; also of one that has failed. Throws `Problem` and `ClientError`.
    func ended(_ job: Job) async throws -> Job {
        let progress = Progress(job.kind, unit: "sightings")
        do {
            return try await client.wait(for: job.id) { job in
                if job.total > 0 && job.state != "waiting" { progress.update(job.done, of: job.total) }
            }
        } catch ClientError.jobEnded(let job) {
            return job
        }
    }

    /// Waits unless the caller does not want to, and shows what became of it. Throws `ExitCode.failure` for a job that has not
    /// succeeded.
    func finish(_ job: Job, waiting: Bool = true) async throws {
        let job = waiting ? try await ended(job) : job
        try show(job)
        if job.hasEnded && job.state != "succeeded" { throw ExitCode.failure }
    }

    /// Prints a job.
    func show(_ job: Job) throws {
        if json { return try Output.json(job) }
        print("\(job.kind) \(job.id): \(job.state)\(job.reason.map { ", \($0)" } ?? "")")
        switch job.kind {
        case "calibration": ThresholdTable.show(proposed: job.result?["thresholds"]?.array ?? [])
        case "comparison": job.result.map { ComparisonTable($0).show() }
        default:
            // What other jobs have found is for those who know it: as it is.
            if let result = job.result, result.object?.isEmpty == false { try Output.json(result) }
        }
    }
}

/// What a dry run of an activation found, as a table.
struct ComparisonTable {
    let result: JSONValue

    init(_ result: JSONValue) { self.result = result }

    func show() {
        let agreement = result["agreement"]
        print("\(number(result["sightings"], "%.0f")) sightings compared with the active model")
        print(
            "nearest sighting the same: \(number(agreement?["top_1"], "%.3f")), shared among the ten nearest: "
                + "\(number(agreement?["top_10"], "%.3f"))\n")
        let scores = result["mean_scores"]
        var rows = [["", "active", "this model"]]
        rows.append(row("mean cosine, same identity", scores, "%.3f", within: "same_identity"))
        rows.append(row("mean cosine, different identities", scores, "%.3f", within: "different_identity"))
        for threshold in result["thresholds"]?.array ?? [] {
            rows.append(
                row("threshold for false matches of \(number(threshold["false_match_rate"], "%g"))", threshold, "%.3f"))
        }
        rows.append(row("milliseconds a triple, median", result["milliseconds"], "%.1f"))
        rows.append(row("bytes of the file", result["file_bytes"], "%.0f"))
        Output.table(rows)
    }

    private func row(_ name: String, _ pair: JSONValue?, _ format: String, within key: String? = nil) -> [String] {
        [name]
            + ["active", "candidate"].map { side in
                let value = pair?[side]
                return number(key.map { value?[$0] } ?? value, format)
            }
    }

    private func number(_ value: JSONValue?, _ format: String) -> String {
        value?.number.map { String(format: format, $0) } ?? "–"
    }
}

/// Thresholds as a table.
enum ThresholdTable {
    static func show(_ thresholds: [Threshold]) {
        Output.table(
            [["modalities", "threshold", "model", ""]]
                + thresholds.map {
                    [
                        $0.modalities.joined(separator: "+"), String(format: "%.4f", $0.threshold),
                        Digest.short($0.model),
                        $0.stale ? "not used" : "",
                    ]
                })
    }

    /// What a calibration proposes.
    static func show(proposed rows: [JSONValue]) {
        let number = { (value: JSONValue?) in value?.number.map { String(format: "%.4f", $0) } ?? "–" }
        Output.table(
            [["modalities", "threshold", "false matches", "misses"]]
                + rows.map { row in
                    let modalities = row["modalities"]?.array?.compactMap(\.string) ?? []
                    return [
                        modalities.joined(separator: "+"), number(row["threshold"]), number(row["false_match_rate"]),
                        number(row["miss_rate"]),
                    ]
                })
    }
}

/// A model's name in a table.
enum Digest {
    static func short(_ model: String) -> String { String(model.prefix(12)) }
}
