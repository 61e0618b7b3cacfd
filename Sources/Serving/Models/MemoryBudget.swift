import Foundation
import Inference
import Tensor

/// How much memory the process may have in use, for models and galleries together.
package struct MemoryBudget: Sendable {
    /// What is left to requests: bodies, images and what encoders compute.
    private static let headroom = 64 << 20

    /// `memory_bytes`; without it, only what the system has sets a limit.
    let configured: Int?

    package init(configured: Int?) { self.configured = configured }

    /// Throws `ModelError.insufficientMemory` if so many bytes more would be too many.
    ///
    /// - Parameter patiently: whether to leave what the pool keeps for reuse with it. Otherwise that does not count, and is
    ///   given back to the system where it matters.
    package func require(_ bytes: Int, patiently: Bool = false) throws {
        if fits(bytes) { return }
        if !patiently { BufferPool.shared.drainToSystem() }
        guard fits(bytes) else {
            throw ModelError.insufficientMemory(limit: limit, inUse: Self.residentBytes ?? 0, needed: bytes)
        }
    }

    /// Throws `ServingError.galleryMemory` if a gallery may not grow any more: before the system would end the process, and again
    /// at every start.
    func requireRoomToEnrol() throws {
        if fits(Self.headroom) { return }
        BufferPool.shared.drainToSystem()
        guard fits(Self.headroom) else {
            throw ServingError.galleryMemory(limit: limit, inUse: Self.residentBytes ?? 0)
        }
    }

    private func fits(_ bytes: Int) -> Bool { (Self.residentBytes ?? 0) + bytes <= limit }

    /// The least of what was configured, what the process's control groups allow, and what it has with all that is free.
    private var limit: Int {
        let free = Self.availableBytes.map { $0 + (Self.residentBytes ?? 0) }
        return ([configured, free].compactMap { $0 } + Self.groupLimits).min() ?? .max
    }

    /// Of this process, from /proc; nil on systems without it.
    package static var residentBytes: Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
        return text.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map {
            $0 * Int(sysconf(Int32(_SC_PAGESIZE)))
        }
    }

    /// What the system can still give, caches that it would drop included.
    private static var availableBytes: Int? {
        guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") }),
            let kilobytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return nil }
        return kilobytes * 1024
    }

    /// `memory.max` of the process's control group and of those around it, where they are set.
    private static var groupLimits: [Int] {
        guard let text = try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("0::/") })
        else { return [] }
        let names = line.dropFirst(4).split(separator: "/").map(String.init)
        return (0...names.count).compactMap { depth in
            let path = (["/sys/fs/cgroup"] + names.prefix(depth) + ["memory.max"]).joined(separator: "/")
            let limit = try? String(contentsOfFile: path, encoding: .utf8)
            return limit.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        }
    }
}

extension BufferPool {
    /// Gives the memory of a model that is gone back to the system, after the last requests have let go of it.
    func drainSoon() {
        Task {
            try? await Task.sleep(for: .seconds(2))
            drainToSystem()
        }
    }
}
