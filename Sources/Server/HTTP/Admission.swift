import Synchronization

/// Decides whether a request may begin: bounds how many are under way and how many bytes they hold. Pure; time and
/// threads are elsewhere.
package struct Admission: Equatable {
    /// Requests that may be under way.
    package let mostRequests: Int
    /// Bytes that they may hold.
    package let mostBytes: Int
    /// Under way now.
    package private(set) var requests = 0
    /// Held now.
    package private(set) var bytes = 0

    package init(mostRequests: Int, mostBytes: Int) {
        self.mostRequests = mostRequests
        self.mostBytes = mostBytes
    }

    /// Takes a place for a request of so many bytes, if there is one.
    package mutating func admit(bytes count: Int) -> Bool {
        // A single request larger than the bound is admitted alone: its own limit has judged it.
        guard requests < mostRequests, bytes + count <= mostBytes || requests == 0 else { return false }
        requests += 1
        bytes += count
        return true
    }

    /// Gives the place back.
    package mutating func release(bytes count: Int) {
        requests -= 1
        bytes -= count
    }
}

/// An admission that requests share.
final class AdmissionGate: Sendable {
    private let admission: Mutex<Admission>

    init(_ limits: ServerConfiguration.Limits) {
        admission = Mutex(Admission(mostRequests: limits.requestsInFlight, mostBytes: limits.bytesInFlight))
    }

    /// Runs `work` if there is a place; throws `RequestError.overloaded` at once if there is none.
    func admit<Value>(bytes: Int, _ work: () async throws -> Value) async throws -> Value {
        guard admission.withLock({ $0.admit(bytes: bytes) }) else { throw RequestError.overloaded }
        defer { admission.withLock { $0.release(bytes: bytes) } }
        return try await work()
    }

    /// Requests under way.
    var requests: Int { admission.withLock { $0.requests } }
}
