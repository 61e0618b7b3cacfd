import Foundation
import Synchronization

/// Shows how far a long job is: what, how much, at which rate, how long still. One line rewritten in place on a
/// terminal; plain lines at intervals otherwise, so that a log stays readable.
final class Progress: Sendable {
    private struct State {
        var lastShown = -Double.infinity
        /// Whether the last line that was shown said that all is done.
        var isFinished = false
        /// How far the job was when it was first heard of, and when: the first unit warms up what the others find warm.
        var first: (done: Int, elapsed: Double)?
    }

    private let what: String
    private let unit: String
    private let start = Progress.now
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let state = Mutex(State())

    /// - Parameters:
    ///   - what: the job, such as "enrolling".
    ///   - unit: what is counted, in the plural.
    init(_ what: String, unit: String) {
        self.what = what
        self.unit = unit
    }

    /// Shows that `done` of `total` are done, unless the last showing was a moment ago; that all are, once.
    func update(_ done: Int, of total: Int) {
        let elapsed = Self.now - start
        let interval = isTerminal ? 0.1 : 5
        let text = state.withLock { state -> String? in
            let first = state.first ?? (done, elapsed)
            state.first = first
            guard done == total ? !state.isFinished : elapsed - state.lastShown >= interval else { return nil }
            (state.lastShown, state.isFinished) = (elapsed, done == total)
            return line(done, total, elapsed, since: first)
        }
        if let text { show(text, isLast: done == total) }
    }

    private func line(_ done: Int, _ total: Int, _ elapsed: Double, since first: (done: Int, elapsed: Double)) -> String
    {
        let percent = total == 0 ? 100 : done * 100 / total
        let text = "\(what): \(done)/\(total) \(unit) (\(percent) %)"
        if done == total {
            let rate = Double(done) / max(elapsed, 1e-3)
            return text + String(format: ", %.1f/s, took ", rate) + Self.duration(elapsed)
        }
        guard done > first.done, elapsed > first.elapsed else { return text }
        let rate = Double(done - first.done) / (elapsed - first.elapsed)
        return text + String(format: ", %.1f/s, ", rate) + "\(Self.duration(Double(total - done) / rate)) left"
    }

    private func show(_ line: String, isLast: Bool) {
        let text = isTerminal ? "\r\u{1B}[K\(line)\(isLast ? "\n" : "")" : "\(line)\n"
        FileHandle.standardError.write(Data(text.utf8))
    }

    private static var now: Double { Double(DispatchTime.now().uptimeNanoseconds) / 1e9 }

    /// Seconds as `42 s`, `3 min 05 s` or `2 h 03 min`.
    static func duration(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return String(format: "%d min %02d s", whole / 60, whole % 60) }
        return String(format: "%d h %02d min", whole / 3600, whole / 60 % 60)
    }
}

/// Shows how much of something has come whose end is not known.
final class ByteCount: Sendable {
    private struct State {
        var done = 0
        var lastShown = -Double.infinity
    }

    private let what: String
    private let start = ContinuousClock.now
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let state = Mutex(State())

    init(_ what: String) { self.what = what }

    /// Shows that so many bytes have come, unless the last showing was a moment ago.
    func update(_ done: Int) { show(done, isLast: false) }

    /// Shows how many there were.
    func finish() { show(state.withLock { $0.done }, isLast: true) }

    private func show(_ done: Int, isLast: Bool) {
        let elapsed = start.duration(to: .now) / .seconds(1)
        let isDue = state.withLock { state in
            state.done = done
            guard isLast || elapsed - state.lastShown >= (isTerminal ? 0.1 : 5) else { return false }
            state.lastShown = elapsed
            return true
        }
        guard isDue else { return }
        let megabytes = Double(done) / 1e6
        let line = String(format: "%@: %.1f MB, %.1f MB/s", what, megabytes, megabytes / max(elapsed, 1e-3))
        let text = isTerminal ? "\r\u{1B}[K\(line)\(isLast ? "\n" : "")" : "\(line)\n"
        FileHandle.standardError.write(Data(text.utf8))
    }
}
