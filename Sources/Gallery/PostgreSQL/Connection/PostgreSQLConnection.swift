import CPQ
import Foundation

/// A connection to PostgreSQL.
///
/// Not checked by the compiler, as libpq's handle is not safe for threads: whoever has taken one from its pool is its only user
/// until it goes back there.
final class PostgreSQLConnection: @unchecked Sendable {
    /// Statements that are kept prepared; more than there are, but for filters of many values.
    private static let mostPrepared = 500

    private let handle: OpaquePointer
    /// How long an answer may take.
    private let patience: Duration
    private var prepared: [String: String] = [:]
    private(set) var isBroken = false

    /// Blocks for no longer than the address's timeouts. Throws `PostgreSQLError`.
    init(_ address: PostgreSQLAddress, patience: Duration, lockWait: TimeInterval) throws {
        guard let handle = address.connect() else { throw PostgreSQLError(state: nil, "no memory for a connection") }
        (self.handle, self.patience) = (handle, patience)
        guard PQstatus(handle) == CONNECTION_OK else {
            throw PostgreSQLError(lost: handle, "no connection to \(address.text)")
        }
        // Notices are for people at a terminal.
        PQsetNoticeReceiver(handle, { _, _ in }, nil)
        PQsetnonblocking(handle, 1)
        let server = Int(patience.components.seconds) * 1000
        // As the address has it of this end: what a server that is cut off has locked must not stay locked for hours.
        try run(
            """
            SET client_encoding = 'UTF8'; SET standard_conforming_strings = on; SET TimeZone = 'UTC';
            SET statement_timeout = \(server); SET idle_in_transaction_session_timeout = \(2 * server);
            SET lock_timeout = \(max(1, Int(lockWait * 1000)));
            SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 3; SET tcp_keepalives_count = 3;
            SET tcp_user_timeout = 10000
            """)
    }

    deinit { PQfinish(handle) }

    /// As `150004` for 15.4.
    var serverVersion: Int { Int(PQserverVersion(handle)) }

    /// Whether a transaction could be committed.
    var isHealthy: Bool { !isBroken && PQtransactionStatus(handle) == PQTRANS_INTRANS }

    /// Runs statements without arguments and without an answer.
    func run(_ sql: String) throws {
        guard PQsendQuery(handle, sql) == 1 else { throw lost() }
        try flush()
        try results { _ in }
    }

    /// Runs a statement, hands over its rows, and says how many were changed.
    @discardableResult func run(
        _ sql: String, _ arguments: [any SQLArgument], _ body: (SQLRow) throws -> Void = { _ in }
    ) throws -> Int {
        let name = try prepare(sql)
        let values = try PostgreSQLArguments(arguments)
        let count = Int32(arguments.count)
        guard PQsendQueryPrepared(handle, name, count, values.values, values.lengths, values.formats, 1) == 1 else {
            throw lost()
        }
        PQsetSingleRowMode(handle)
        try flush()
        var (changed, columns) = (0, [String]())
        try results { result in
            if columns.isEmpty { columns = try PostgreSQLRow.columns(result) }
            for row in 0..<PQntuples(result) {
                try body(SQLRow(columns: columns, cells: PostgreSQLRow(result, row)))
            }
            if let text = PQcmdTuples(result), let count = Int(String(cString: text)) { changed = count }
        }
        return changed
    }

    private func prepare(_ sql: String) throws -> String {
        if let name = prepared[sql] { return name }
        if prepared.count >= Self.mostPrepared {
            try run("DEALLOCATE ALL")
            prepared = [:]
        }
        let name = "s\(prepared.count)"
        guard PQsendPrepare(handle, name, PostgreSQLStatement(sql).sql, 0, nil) == 1 else { throw lost() }
        try flush()
        try results { _ in }
        prepared[sql] = name
        return name
    }

    /// What others have notified since the last call; waits for something no longer than that. Throws `PostgreSQLError`.
    func awaitNotifications(_ wait: Duration) throws -> [String] {
        try awaitSocket(Int16(POLLIN), until: .now + wait)
        guard PQconsumeInput(handle) == 1 else { throw lost() }
        var told: [String] = []
        while let notice = PQnotifies(handle) {
            told.append(String(cString: notice.pointee.extra))
            PQfreemem(notice)
        }
        return told
    }
}

extension PostgreSQLConnection {
    /// All answers to what was sent; the first error, of PostgreSQL or of `body`, is thrown once they are read.
    private func results(_ body: (OpaquePointer) throws -> Void) throws {
        let deadline = ContinuousClock.now + patience
        var failure: (any Error)?
        while let result = try next(deadline) {
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_SINGLE_TUPLE:
                if failure == nil { do { try body(result) } catch { failure = error } }
            default:
                let error = PostgreSQLError(result: result, handle)
                if error.isLost { isBroken = true }
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }

    private func next(_ deadline: ContinuousClock.Instant) throws -> OpaquePointer? {
        while PQisBusy(handle) == 1 {
            guard try awaitSocket(Int16(POLLIN), until: deadline) else { throw silent() }
            guard PQconsumeInput(handle) == 1 else { throw lost() }
        }
        return PQgetResult(handle)
    }

    /// Sends what is to be sent, taking what comes meanwhile.
    private func flush() throws {
        let deadline = ContinuousClock.now + patience
        while true {
            let state = PQflush(handle)
            if state == 0 { return }
            guard state > 0 else { throw lost() }
            guard try awaitSocket(Int16(POLLIN | POLLOUT), until: deadline) else { throw silent() }
            guard PQconsumeInput(handle) == 1 else { throw lost() }
        }
    }

    /// False if nothing has come until then.
    @discardableResult private func awaitSocket(_ events: Int16, until deadline: ContinuousClock.Instant) throws -> Bool
    {
        while true {
            let left = (deadline - ContinuousClock.now) / .milliseconds(1)
            var descriptor = pollfd(fd: PQsocket(handle), events: events, revents: 0)
            guard descriptor.fd >= 0 else { throw lost() }
            let count = poll(&descriptor, 1, Int32(max(0, min(left.rounded(.up), 1e9))))
            if count > 0 { return true }
            if count == 0 { return false }
            guard errno == EINTR else { throw lost() }
        }
    }

    private func lost() -> PostgreSQLError {
        isBroken = true
        return PostgreSQLError(lost: handle, "the connection was lost")
    }

    private func silent() -> PostgreSQLError {
        isBroken = true
        return PostgreSQLError(state: nil, "no answer from the database within \(patience.components.seconds) seconds")
    }
}
