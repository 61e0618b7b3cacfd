import Documents
import Foundation
import Synchronization

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Sends requests to one server, again where that is safe. Any number of tasks may use it.
final class Transport: Sendable {
    /// Without a slash at its end.
    let server: String
    /// For how long the server may say nothing.
    let timeout: Duration
    private let key: String?
    private let retries: RetryPolicy
    private let exchanges = Exchanges()
    private let told = Mutex<RateLimit?>(nil)
    /// Whether servers must have seen what this client was answered.
    private let isConsistent: Bool
    /// The last change that an answer has known of.
    private let sequence = Mutex<Int64>(0)

    /// Throws `ClientError.invalidArgument`.
    init(server: URL, key: String?, timeout: Duration, retries: RetryPolicy, isConsistent: Bool = false) throws {
        guard ["http", "https"].contains(server.scheme?.lowercased()), server.host?.isEmpty == false else {
            throw ClientError.invalidArgument(
                "expected an http URL such as http://127.0.0.1:8080, found '\(server.absoluteString.prefix(100))'")
        }
        guard server.user == nil, server.query == nil, server.fragment == nil else {
            throw ClientError.invalidArgument("expected a URL without a user, a query or a fragment")
        }
        guard key?.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) ?? true, key?.isEmpty != true else {
            throw ClientError.invalidArgument("expected a key of printable ASCII without spaces")
        }
        guard timeout > .zero else { throw ClientError.invalidArgument("expected a timeout above 0, found \(timeout)") }
        self.server = server.absoluteString.trimmingSuffix("/")
        (self.key, self.timeout, self.retries, self.isConsistent) = (key, timeout, retries, isConsistent)
    }

    /// What the server has said last of how much the key may send; nil if nothing bounds it.
    var rateLimit: RateLimit? { told.withLock { $0 } }

    /// The decoded answer. Throws `Problem`, `ClientError` or `CancellationError`, as all of these do.
    func ask<Answer: Decodable & Sendable>(_ request: Request, as type: Answer.Type = Answer.self) async throws
        -> Answer
    {
        try Wire.decode(from: await send(request))
    }

    /// The answer's bytes.
    @discardableResult
    func send(_ request: Request) async throws -> Data {
        try await repeated(request) { try await self.attempt(request).whole() }
    }

    /// An answer to read as it comes. What fails while it is read is the reader's.
    func open(_ request: Request) async throws -> Exchange {
        try await repeated(request) { try await self.attempt(request) }
    }

    /// Writes the answer to a file, which has its name once it is whole; `progress` is told how many bytes have come.
    func download(_ request: Request, to file: URL, progress: @Sendable (Int) -> Void) async throws {
        let exchange = try await open(request)
        var count = 0
        var partial = try DurableFile(replacing: file.path, mode: 0o600)
        for try await part in exchange {
            try part.withUnsafeBytes { try partial.write($0) }
            count += part.count
            progress(count)
        }
        try partial.commit()
    }

    /// Erases. What is not found after a connection broke was erased by the request that got no answer.
    func erase(_ path: String) async throws {
        var hasBroken = false
        try await repeated(.delete(path)) {
            do {
                _ = try await self.attempt(.delete(path)).whole()
            } catch let error as ClientError {
                hasBroken = true
                throw error
            } catch let problem as Problem where problem.status == 404 && hasBroken {}
        }
    }

    private func repeated<Value: Sendable>(
        _ request: Request, _ attempt: () async throws -> Value
    ) async throws -> Value {
        var number = 0
        while true {
            do {
                return try await attempt()
            } catch {
                let pause = retries.pause(
                    after: error, number, isRepeatable: request.isRepeatable, jitter: .random(in: 0...1))
                guard let pause else { throw error }
                try await Task.sleep(for: pause)
                number += 1
            }
        }
    }

    /// One try, up to an answer that is no refusal.
    private func attempt(_ request: Request) async throws -> Exchange {
        let exchange = try await exchanges.open(urlRequest(request), request.body)
        if let limit = RateLimit(exchange.headers) { told.withLock { $0 = limit } }
        guard (200..<300).contains(exchange.status) else {
            // Of a refusal that comes while something large is sent, the connection may break before all has been read.
            let body = (try? await exchange.whole()) ?? Data()
            try Task.checkCancellation()
            throw Problem(exchange.status, exchange.headers, body)
        }
        if let known = exchange.headers["x-triptych-sequence"].flatMap(Int64.init) {
            sequence.withLock { $0 = max($0, known) }
        }
        return exchange
    }

    private func urlRequest(_ request: Request) throws -> URLRequest {
        let pairs = request.query.compactMap { name, value in value.map { "\(name)=\($0.percentEncoded)" } }
        let address = server + request.path + (pairs.isEmpty ? "" : "?\(pairs.joined(separator: "&"))")
        guard let url = URL(string: address) else {
            throw ClientError.invalidArgument("expected what a URL can have, found '\(address.prefix(200))'")
        }
        var made = URLRequest(url: url)
        made.httpMethod = request.method
        made.timeoutInterval = (request.timeout ?? timeout) / .seconds(1)
        var fields = ["Accept": request.accept, "User-Agent": "triptych-client-swift"]
        fields["Authorization"] = key.map { "Bearer \($0)" }
        fields["Idempotency-Key"] = request.key
        let seen = sequence.withLock { $0 }
        if isConsistent, seen > 0 { fields["X-Triptych-Sequence"] = "\(seen)" }
        fields["Upload-Offset"] = request.offset.map { "\($0)" }
        switch request.body {
        case .data(_, let type), .file(_, let type, _): fields["Content-Type"] = type
        case nil: break
        }
        for (name, value) in fields { made.setValue(value, forHTTPHeaderField: name) }
        return made
    }
}

/// What a key may send, as the server has said last (draft-ietf-httpapi-ratelimit-headers).
public struct RateLimit: Sendable, Equatable {
    /// Requests a minute.
    public let perMinute: Int
    /// How many of them may come at once now.
    public let remaining: Int
    /// Until there is one more.
    public let seconds: Int

    fileprivate init?(_ headers: [String: String]) {
        guard let policy = headers["ratelimit-policy"]?.firstMatch(of: /q=(\d+);w=60/),
            let left = headers["ratelimit"]?.firstMatch(of: /r=(\d+);t=(\d+)/), let perMinute = Int(policy.output.1),
            let remaining = Int(left.output.1), let seconds = Int(left.output.2)
        else { return nil }
        (self.perMinute, self.remaining, self.seconds) = (perMinute, remaining, seconds)
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: String) -> String {
        hasSuffix(suffix) ? String(dropLast(suffix.count)).trimmingSuffix(suffix) : self
    }
}
