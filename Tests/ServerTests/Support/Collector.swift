import Documents
import Foundation
import Synchronization

/// Takes spans as a collector of OpenTelemetry does.
final class Collector: Sendable {
    private let receiver = Receiver { _ in "200 OK" }
    private let taken = Mutex(0)

    var port: Int { receiver.port }

    /// The spans of the next request; nil for what is none.
    func next() async throws -> [JSONValue]? {
        let place = taken.withLock { taken in
            defer { taken += 1 }
            return taken
        }
        let call = try await receiver.wait(for: place + 1)[place]
        let document = try? JSONDecoder().decode(JSONValue.self, from: call.body)
        return document?["resourceSpans"]?[0]?["scopeSpans"]?[0]?["spans"]?.array
    }
}
