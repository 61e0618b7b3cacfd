import Documents
import Foundation
import Synchronization

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// One request whose body, or whose answer, is a file that need not fit into memory.
final class FileTransfer: NSObject, URLSessionDataDelegate, Sendable {
    private struct State {
        var continuation: CheckedContinuation<Int, any Error>?
        /// What a refusal says, or the answer if it is not kept in a file.
        var answer = Data()
        var failure: (any Error)?
        var count = 0
    }

    /// More than this of an answer that goes into no file is not kept.
    private static let longestAnswer = 1 << 20

    private let state = Mutex(State())
    private let file: FileHandle?
    private let progress: @Sendable (Int) -> Void

    private init(into file: FileHandle?, _ progress: @escaping @Sendable (Int) -> Void) {
        (self.file, self.progress) = (file, progress)
    }

    /// Sends a file as a request's body. Gives the answer's status and body. Throws `URLError`.
    static func upload(
        _ file: URL, _ request: URLRequest, progress: @escaping @Sendable (Int) -> Void
    ) async throws -> (status: Int, answer: Data) {
        let transfer = FileTransfer(into: nil, progress)
        return try await transfer.run { $0.uploadTask(with: request, fromFile: file) }
    }

    /// Writes the answer into a file; a refusal is given instead. Throws `URLError`, and what writing throws.
    static func download(
        _ request: URLRequest, into file: FileHandle, progress: @escaping @Sendable (Int) -> Void
    ) async throws -> (status: Int, answer: Data) {
        let transfer = FileTransfer(into: file, progress)
        return try await transfer.run { $0.dataTask(with: request) }
    }

    private func run(_ task: (URLSession) -> URLSessionTask) async throws -> (status: Int, answer: Data) {
        let configuration = URLSessionConfiguration.ephemeral
        // A large gallery takes hours; a connection on which nothing comes does not.
        (configuration.timeoutIntervalForRequest, configuration.timeoutIntervalForResource) = (120, 7 * 86_400)
        let session = URLSession(configuration: configuration, delegate: self, delegateQueue: nil)
        defer { session.finishTasksAndInvalidate() }
        let work = task(session)
        let status = try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                state.withLock { $0.continuation = continuation }
                work.resume()
            }
        } onCancel: {
            work.cancel()
        }
        return (status, state.withLock { $0.answer })
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let status = (dataTask.response as? HTTPURLResponse)?.statusCode ?? 0
        let count = state.withLock { state in
            guard let file, (200..<300).contains(status) else {
                state.answer.append(data.prefix(Self.longestAnswer - state.answer.count))
                return nil as Int?
            }
            do {
                try file.write(contentsOf: data)
            } catch {
                state.failure = error
                dataTask.cancel()
            }
            state.count += data.count
            return state.count
        }
        if let count { progress(count) }
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, didSendBodyData bytesSent: Int64, totalBytesSent: Int64,
        totalBytesExpectedToSend: Int64
    ) {
        progress(Int(totalBytesSent))
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        let status = (task.response as? HTTPURLResponse)?.statusCode ?? 0
        let (continuation, failure) = state.withLock { state in
            defer { state.continuation = nil }
            return (state.continuation, state.failure ?? error)
        }
        if let failure { continuation?.resume(throwing: failure) } else { continuation?.resume(returning: status) }
    }
}
