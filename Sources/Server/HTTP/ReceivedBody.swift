import Hummingbird
import NIOCore
import NIOHTTP1

/// A request's body as it comes: counted against its limit and its place in admission, and whole at its end.
struct ReceivedBody: AsyncSequence, Sendable {
    let base: RequestBody
    let connection: Connection
    let place: AdmissionGate.Place
    let mostBytes: Int
    /// Bytes of memory that a byte takes and that were not counted before it came.
    let cost: Int

    struct AsyncIterator: AsyncIteratorProtocol {
        private let body: ReceivedBody
        private var base: RequestBody.AsyncIterator
        private var received = 0

        fileprivate init(_ body: ReceivedBody) { (self.body, base) = (body, body.base.makeAsyncIterator()) }

        /// Throws `RequestError`, or `CancellationError`.
        mutating func next() async throws -> ByteBuffer? {
            guard let part = try await nextPart() else {
                // The sequence ends alike if the task is cancelled or the channel closed.
                if body.connection.hasWholeRequest { return nil }
                try Task.checkCancellation()
                throw RequestError.clientLeft
            }
            received += part.readableBytes
            guard received <= body.mostBytes else { throw RequestError.bodyTooLarge(limit: body.mostBytes) }
            try body.place.grow(by: part.readableBytes * body.cost)
            return part
        }

        private mutating func nextPart() async throws -> ByteBuffer? {
            do {
                return try await base.next()
            } catch HTTPParserError.invalidEOFState {
                throw RequestError.clientLeft
            } catch let error as HTTPParserError {
                throw RequestError.brokenFraming("\(error)")
            } catch is IOError {
                throw RequestError.clientLeft
            } catch is ChannelError {
                throw RequestError.clientLeft
            }
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}
