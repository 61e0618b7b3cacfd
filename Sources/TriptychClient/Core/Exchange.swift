import Foundation
import Synchronization

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// An answer whose body is read as it comes. When nobody holds it any more, its transfer ends.
///
/// The system's library does not wait for whoever reads: what is read more slowly than it comes waits in memory.
struct Exchange: AsyncSequence, Sendable {
    let status: Int
    /// By lower-case name.
    let headers: [String: String]
    private let parts: AsyncThrowingStream<ExchangePart, any Error>

    fileprivate init(_ head: HTTPURLResponse, _ parts: AsyncThrowingStream<ExchangePart, any Error>) {
        let pairs = head.allHeaderFields.map { ("\($0.key)".lowercased(), "\($0.value)") }
        (status, headers) = (head.statusCode, Dictionary(pairs) { $1 })
        self.parts = parts
    }

    /// The body's parts. Throws `ClientError` if it does not come whole, and `CancellationError`.
    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var base: AsyncThrowingStream<ExchangePart, any Error>.AsyncIterator

        mutating func next() async throws -> Data? {
            while let part = try await base.next() {
                if case .data(let data) = part { return data }
            }
            try Task.checkCancellation()
            return nil
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(base: parts.makeAsyncIterator()) }

    /// The whole body. Throws as reading does, and `ClientError.unexpectedAnswer` for one that has no end.
    func whole() async throws -> Data {
        var body = Data()
        for try await part in self {
            body += part
            guard body.count <= Self.longestAnswer else {
                throw ClientError.unexpectedAnswer("expected at most \(Self.longestAnswer) bytes of JSON, found more")
            }
        }
        return body
    }

    /// Of an answer that is kept in memory.
    private static let longestAnswer = 256 << 20
}

private enum ExchangePart: Sendable {
    case head(HTTPURLResponse)
    case data(Data)
}

/// Exchanges over URLSession, which keeps connections for the next ones.
final class Exchanges: Sendable {
    private let session: URLSession
    private let router = ExchangeRouter()

    init() {
        let configuration = URLSessionConfiguration.ephemeral
        (configuration.urlCache, configuration.urlCredentialStorage, configuration.httpCookieStorage) = (nil, nil, nil)
        // A stream of events holds one for as long as it is followed.
        configuration.httpMaximumConnectionsPerHost = 64
        // An export of a large gallery takes hours; a connection on which nothing comes does not.
        configuration.timeoutIntervalForResource = 7 * 86_400
        session = URLSession(configuration: configuration, delegate: router, delegateQueue: nil)
    }

    deinit { session.invalidateAndCancel() }

    /// Sends a request, and returns once the answer's head has come. Throws `ClientError` and `CancellationError`.
    func open(_ request: URLRequest, _ body: Request.Body?) async throws -> Exchange {
        let (task, progress) = task(request, body)
        let (parts, continuation) = AsyncThrowingStream.makeStream(of: ExchangePart.self)
        continuation.onTermination = { _ in task.cancel() }
        router.add(task, continuation, progress)
        task.resume()
        var iterator = parts.makeAsyncIterator()
        guard case .head(let head) = try await iterator.next() else {
            try Task.checkCancellation()
            throw ClientError.unexpectedAnswer("expected an answer of HTTP, found none")
        }
        return Exchange(head, parts)
    }

    private func task(_ request: URLRequest, _ body: Request.Body?) -> (URLSessionTask, @Sendable (Int) -> Void) {
        switch body {
        case .file(let file, _, let progress): return (session.uploadTask(with: request, fromFile: file), progress)
        case .data(let data, _): return (session.uploadTask(with: request, from: data), { _ in })
        case nil: return (session.dataTask(with: request), { _ in })
        }
    }
}

/// Gives what URLSession tells to the exchange that it is of.
private final class ExchangeRouter: NSObject, URLSessionDataDelegate, Sendable {
    private struct Receiver {
        let parts: AsyncThrowingStream<ExchangePart, any Error>.Continuation
        let progress: @Sendable (Int) -> Void
    }

    private let receivers = Mutex<[Int: Receiver]>([:])

    func add(
        _ task: URLSessionTask, _ parts: AsyncThrowingStream<ExchangePart, any Error>.Continuation,
        _ progress: @escaping @Sendable (Int) -> Void
    ) {
        receivers.withLock { $0[task.taskIdentifier] = Receiver(parts: parts, progress: progress) }
    }

    private func receiver(_ task: URLSessionTask) -> Receiver? { receivers.withLock { $0[task.taskIdentifier] } }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        if let head = response as? HTTPURLResponse { _ = receiver(dataTask)?.parts.yield(.head(head)) }
        completionHandler(.allow)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        _ = receiver(dataTask)?.parts.yield(.data(data))
    }

    /// Redirects are not followed: a key is for the server that it was given for.
    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, didSendBodyData bytesSent: Int64, totalBytesSent: Int64,
        totalBytesExpectedToSend: Int64
    ) {
        receiver(task)?.progress(Int(totalBytesSent))
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        let receiver = receivers.withLock { $0.removeValue(forKey: task.taskIdentifier) }
        receiver?.parts.finish(throwing: error.map { ClientError.of($0, task.originalRequest?.url) })
    }
}
