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
        guard requests < mostRequests else { return false }
        requests += 1
        guard change(from: 0, to: count) else {
            requests -= 1
            return false
        }
        return true
    }

    /// Lets a request that is under way hold another number of bytes, if they fit; fewer always do.
    package mutating func change(from held: Int, to count: Int) -> Bool {
        let others = bytes - held
        // One that is alone may be larger than the bound: its own limit judges it.
        let (sum, overflow) = others.addingReportingOverflow(count)
        guard count <= held || requests == 1 || (!overflow && sum <= mostBytes) else { return false }
        bytes = overflow ? .max : sum
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

    init(mostRequests: Int, mostBytes: Int = .max) {
        admission = Mutex(Admission(mostRequests: mostRequests, mostBytes: mostBytes))
    }

    /// Takes a place. Throws `RequestError.overloaded` at once if there is none.
    func admit(bytes: Int = 0) throws(RequestError) -> Place {
        guard admission.withLock({ $0.admit(bytes: bytes) }) else { throw .overloaded }
        return Place(self, bytes)
    }

    /// A request's place. It is given back at the latest when nobody has it any more.
    final class Place: Sendable {
        private let gate: AdmissionGate
        /// nil once it was given back.
        private let bytes: Mutex<Int?>

        fileprivate init(_ gate: AdmissionGate, _ bytes: Int) {
            self.gate = gate
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
                guard gate.admission.withLock({ $0.change(from: held, to: count) }) else { return false }
                bytes = count
                return true
            }
            guard fits else { throw .overloaded }
        }

        /// Gives it back, once.
        func release() {
            bytes.withLock { bytes in
                if let held = bytes { gate.admission.withLock { $0.release(bytes: held) } }
                bytes = nil
            }
        }
    }
}
