import NIOCore
import Synchronization

/// The open connections, at most so many: for one more, the one is closed that has been idle longest. Only those with a
/// place in admission are never idle; as there are fewer such places than connections, every client gets to ask, health
/// checks above all.
final class ConnectionPool: Sendable {
    private struct State {
        var open: [ObjectIdentifier: Connection] = [:]
        var isClosed = false
    }

    private let most: Int
    private let refused: Connection.Refused
    private let state = Mutex(State())

    init(most: Int, refused: @escaping Connection.Refused) { (self.most, self.refused) = (most, refused) }

    /// How many are open, and how many of them idle.
    var load: (all: Int, idle: Int) {
        let open = state.withLock { Array($0.open.values) }
        return (open.count, open.count { $0.idleSince != nil })
    }

    /// Takes in a channel that was accepted, until it closes. O(`most`).
    func add(_ channel: any Channel) -> Connection {
        let connection = Connection(channel, refused: refused)
        let key = ObjectIdentifier(connection)
        let (excess, isClosed) = state.withLock { state in
            state.open[key] = connection
            return (state.open.count - most, state.isClosed)
        }
        connection.channel.closeFuture.whenComplete { [self] _ in
            state.withLock { $0.open[key] = nil }
            connection.closed()
        }
        if isClosed {
            connection.cut()
        } else if excess > 0 {
            closeIdle(excess, but: key)
        }
        return connection
    }

    /// Closes a part of the idle ones, for descriptors to be free.
    func makeRoom() { closeIdle(max(1, state.withLock { $0.open.count } / 8)) }

    private func closeIdle(_ count: Int, but spared: ObjectIdentifier? = nil) {
        let closing = state.withLock { state in
            let idle = state.open.filter { $0.key != spared }.compactMap { key, connection in
                connection.idleSince.map { (key, $0) }
            }
            // No longer counted, so that the next does not choose them too.
            return idle.sorted { $0.1 < $1.1 }.prefix(count).compactMap { state.open.removeValue(forKey: $0.0) }
        }
        for connection in closing { connection.cut() }
    }

    /// Closes all of them, and whatever is accepted from now on.
    func closeAll() {
        let closing = state.withLock { state in
            state.isClosed = true
            return Array(state.open.values)
        }
        for connection in closing { connection.cut() }
    }
}
