import Hummingbird
import Logging
import ServiceLifecycle
import Serving
import UnixSignals

/// The time between being told to end and ending, in which the server says that it is not ready and answers everything as before: so
/// whoever balances among servers sends nothing more here by the time that nothing more is accepted.
///
/// It must be the last of its group, which ends its services one after the other, from the last.
struct Drain: ServiceLifecycle.Service {
    let seconds: Int
    /// Of which a second one ends the wait.
    let signals: [UnixSignal]
    /// Whether it has begun.
    let hasBegun: Live<Bool>
    let logger: Logger

    func run() async throws {
        guard (try? await gracefulShutdown()) != nil, seconds > 0 else { return }
        let again = await UnixSignalsSequence(trapping: signals)
        hasBegun.set(true)
        logger.info("draining: not ready, and ends after that", metadata: ["seconds": .stringConvertible(seconds)])
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await Task.sleep(for: .seconds(seconds)) }
            if !signals.isEmpty { group.addTask { for await _ in again { break } } }
            _ = await group.next()
            group.cancelAll()
        }
    }
}

/// Ends each connection of HTTP/1.1 with its next answer while the server drains: whoever keeps one connects again, to a server that is
/// ready if somebody balances among several.
struct DrainMiddleware: RouterMiddleware {
    typealias Context = ServerContext

    /// Whether the server drains.
    let hasBegun: Live<Bool>

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        if hasBegun.current { response.headers[.connection] = "close" }
        return response
    }
}
