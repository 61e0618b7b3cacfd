import Foundation
import Synchronization
import Threads

/// What goes on for as long as a server runs, on a thread and a connection of its own, which is made anew when it is lost.
final class ConnectionLoop: Sendable {
    /// What is done again and again.
    struct Work: Sendable {
        let connect: @Sendable () throws -> PostgreSQLConnection
        /// Once; throws if another connection is needed. Waits, if at all, in steps of some hundredths of a second.
        let turn: @Sendable (_ connection: PostgreSQLConnection, _ isStopped: () -> Bool) throws -> Void
        let failed: @Sendable (any Error) -> Void
        /// The last thing, if there is a connection.
        let end: @Sendable (PostgreSQLConnection) throws -> Void
    }

    private static let (shortestWait, longestWait) = (Duration.milliseconds(100), Duration.seconds(2))
    private static let step = Duration.milliseconds(50)

    private final class Flag: Sendable {
        private let state = Mutex(false)
        var isSet: Bool { state.withLock { $0 } }
        func set() { state.withLock { $0 = true } }
    }

    private let threads: WorkerThreads
    private let stopped = Flag()
    private let task = Mutex<Task<Void, Never>?>(nil)

    init(_ name: String) { threads = WorkerThreads(name, count: 1) }

    deinit { stopped.set() }

    /// Begins, with a connection if there is one already.
    func start(with connection: PostgreSQLConnection? = nil, _ work: Work) {
        let loop = Task.detached { [threads, stopped] in
            _ = try? await threads.run { Self.run(connection, work, stopped) }
        }
        task.withLock { $0 = loop }
    }

    /// Ends after the turn that is under way.
    func stop() async {
        stopped.set()
        await task.withLock { $0 }?.value
    }

    private static func run(_ first: PostgreSQLConnection?, _ work: Work, _ stopped: Flag) {
        var (connection, wait) = (first, shortestWait)
        while !stopped.isSet {
            do {
                let current = try connection ?? work.connect()
                connection = current
                try work.turn(current) { stopped.isSet }
                wait = shortestWait
            } catch {
                connection = nil
                work.failed(error)
                pause(wait) { stopped.isSet }
                wait = min(wait * 2, longestWait)
            }
        }
        if let connection { try? work.end(connection) }
    }

    /// Blocks for a while, or until it is stopped.
    static func pause(_ time: Duration, _ isStopped: () -> Bool) {
        let end = ContinuousClock.now + time
        while !isStopped(), .now < end { usleep(UInt32(step / .microseconds(1))) }
    }
}
