import CCurl
import Foundation

/// Calls others over HTTP, on the caller's thread: no redirect, no proxy, and only such addresses as its rules allow.
struct OutgoingCall: Sendable {
    /// Why there is no answer of 200 to 299.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Whether addresses may be called that are not of the public internet.
    let allowsPrivate: Bool
    /// Whether http may be spoken, not https alone.
    let allowsHTTP: Bool
    /// Authorities in place of the system's, a file of PEM.
    let caFile: String?
    /// For the whole of a call.
    let seconds: Int

    /// Once, before the first call: libcurl is not to be started by two threads.
    static func start() { ccurl_start() }

    /// Posts a body and forgets the answer. Throws `Failure`.
    func post(_ body: Data, to url: String, headers: [String]) throws(Failure) {
        _ = try call(headers) { fields, rules, outcome in
            body.withUnsafeBytes { ccurl_post(url, fields, $0.baseAddress, $0.count, rules, &outcome) }
        }
    }

    /// Gets a body of at most so many bytes. Throws `Failure`, also for a longer one.
    func get(_ url: String, headers: [String], mostBytes: Int) throws(Failure) -> Data {
        var answer = Data(count: mostBytes)
        let count = try call(headers) { fields, rules, outcome in
            answer.withUnsafeMutableBytes { ccurl_get(url, fields, $0.baseAddress, $0.count, rules, &outcome) }
        }
        return answer.prefix(count)
    }

    /// Gives the bytes of the answer's body.
    private func call(
        _ headers: [String],
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?, ccurl_rules, inout ccurl_outcome) -> Void
    ) throws(Failure) -> Int {
        var outcome = ccurl_outcome()
        let ca = caFile.map { strdup($0) }
        let fields = headers.map { strdup($0) }
        defer { for text in fields + [ca ?? nil] { free(text) } }
        let rules = ccurl_rules(
            allows_private: allowsPrivate, allows_http: allowsHTTP, ca_file: ca.map { UnsafePointer($0) } ?? nil,
            timeout_milliseconds: seconds * 1000)
        let list = fields.map { $0.map { UnsafePointer($0) } } + [nil]
        list.withUnsafeBufferPointer { body($0.baseAddress, rules, &outcome) }
        let reason = withUnsafeBytes(of: &outcome.error) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        guard outcome.status != 0 else { throw Failure(description: reason) }
        guard (200..<300).contains(outcome.status) else {
            throw Failure(description: "answered with \(outcome.status)")
        }
        return outcome.received
    }
}
