import Synchronization

/// Decides whether a request may begin: bounds how many are under way and how many bytes they hold, and leaves room for others.
/// Pure; time and threads are elsewhere.
///
/// A client takes no more than it leaves free (Choudhury and Hahne, "Dynamic Queue Length Thresholds for Shared-Memory Packet
/// Switches", 1998, with a factor of one): one alone has half of everything at most, n that all want more an n-plus-first part
/// each, and a newcomer always finds a place.
package struct Admission: Equatable {
    /// What a client holds.
    private struct Holding: Equatable {
        var requests = 0
        var bytes = 0
    }

    /// Requests that may be under way.
    package var mostRequests: Int
    /// Bytes that they may hold.
    package var mostBytes: Int
    /// Under way now.
    package private(set) var requests = 0
    /// Held now.
    package private(set) var bytes = 0
    /// Of those that have one, by client.
    private var holdings: [String: Holding] = [:]

    package init(mostRequests: Int, mostBytes: Int) {
        self.mostRequests = mostRequests
        self.mostBytes = mostBytes
    }

    /// Takes a place for a request of so many bytes, if there is one for its client; nil is nobody in particular, who may have all.
    package mutating func admit(_ client: String? = nil, bytes count: Int) -> Bool {
        let free = mostRequests - requests
        guard free > 0, client.map({ holdings[$0, default: Holding()].requests < free }) ?? true else { return false }
        self.count(client, requests: 1, bytes: 0)
        guard change(client, from: 0, to: count) else {
            self.count(client, requests: -1, bytes: 0)
            return false
        }
        return true
    }

    /// Lets a request that is under way hold another number of bytes, if they fit; fewer always do.
    package mutating func change(_ client: String? = nil, from held: Int, to count: Int) -> Bool {
        guard count <= held || fits(client, more: count - held) else { return false }
        self.count(client, requests: 0, bytes: count - held)
        return true
    }

    private func fits(_ client: String?, more: Int) -> Bool {
        // One that is alone may be larger than the bound: its own limit judges it.
        if requests == 1 { return !bytes.addingReportingOverflow(more).overflow }
        let (free, overflow) = (mostBytes - bytes).subtractingReportingOverflow(more)
        guard !overflow, free >= 0 else { return false }
        guard let client, let holding = holdings[client], holding.requests > 1 else { return true }
        return holding.bytes + more <= free
    }

    private mutating func count(_ client: String?, requests: Int, bytes: Int) {
        self.requests += requests
        self.bytes += bytes
        guard let client else { return }
        holdings[client, default: Holding()].requests += requests
        holdings[client, default: Holding()].bytes += bytes
        if holdings[client] == Holding() { holdings[client] = nil }
    }

    /// Gives the place back.
    package mutating func release(_ client: String? = nil, bytes count: Int) {
        self.count(client, requests: -1, bytes: -count)
    }
}

/// An admission that requests share.
final class AdmissionGate: Sendable {
    private let admission = Mutex(Admission(mostRequests: 0, mostBytes: 0))
    private let bounds: @Sendable () -> (requests: Int, bytes: Int)

    /// Its bounds are asked for at each admission. What is under way when they become narrower goes on.
    init(bounds: @escaping @Sendable () -> (requests: Int, bytes: Int)) { self.bounds = bounds }

    /// Bytes that the requests hold which are under way.
    var bytes: Int { admission.withLock { $0.bytes } }

    /// Takes a place. Throws `RequestError.overloaded` at once if there is none.
    func admit(_ client: String?, bytes: Int = 0) throws(RequestError) -> Place {
        let bounds = bounds()
        let isAdmitted = admission.withLock { admission in
            (admission.mostRequests, admission.mostBytes) = bounds
            return admission.admit(client, bytes: bytes)
        }
        guard isAdmitted else { throw .overloaded }
        return Place(self, client, bytes)
    }

    /// A request's place. It is given back at the latest when nobody has it any more.
    final class Place: Sendable {
        private let gate: AdmissionGate
        private let client: String?
        /// nil once it was given back.
        private let bytes: Mutex<Int?>

        fileprivate init(_ gate: AdmissionGate, _ client: String?, _ bytes: Int) {
            (self.gate, self.client) = (gate, client)
            self.bytes = Mutex(bytes)
        }

        deinit { release() }

        /// Holds so many bytes more. Throws `RequestError.overloaded` if they do not fit.
        func grow(by count: Int) throws(RequestError) { try change { $0 + count } }

        /// Holds so many bytes in place of what it held. Throws `RequestError.overloaded` if they do not fit.
        func hold(_ count: Int) throws(RequestError) { try change { _ in count } }

        private func change(_ count: (Int) -> Int) throws(RequestError) {
            let fits = bytes.withLock { bytes in
                guard let held = bytes else { return true }
                let count = count(held)
                guard gate.admission.withLock({ $0.change(client, from: held, to: count) }) else { return false }
                bytes = count
                return true
            }
            guard fits else { throw .overloaded }
        }

        /// Gives it back, once.
        func release() {
            bytes.withLock { bytes in
                if let held = bytes { gate.admission.withLock { $0.release(client, bytes: held) } }
                bytes = nil
            }
        }
    }
}
