import CPQ

/// What PostgreSQL has answered instead, or that it has not.
struct PostgreSQLError: Error {
    /// The SQLSTATE; nil if the connection was lost, or never was.
    let state: String?
    let message: String

    init(state: String?, _ message: String) { (self.state, self.message) = (state, message) }

    /// Of the connection itself.
    init(lost handle: OpaquePointer?, _ what: String) {
        let text = String(cString: PQerrorMessage(handle)).split(whereSeparator: \.isNewline).joined(separator: "; ")
        self.init(state: nil, text.isEmpty ? what : "\(what): \(text)")
    }

    init(result: OpaquePointer?, _ handle: OpaquePointer?) {
        let field = { (code: UnicodeScalar) in
            PQresultErrorField(result, Int32(code.value)).map { String(cString: $0) }
        }
        if let state = field("C") {
            self.init(state: state, field("M") ?? "no reason given")
        } else {
            self.init(lost: handle, "the connection was lost")
        }
    }

    /// Whether a transaction that was not being committed is certainly undone, and may be tried again on another connection.
    var isLost: Bool { state == nil || state?.hasPrefix("57P") == true || state?.hasPrefix("08") == true }
}

extension GalleryError {
    /// The SQL and its arguments stay out of the message: they hold the user's data.
    init(_ error: PostgreSQLError) {
        let message = error.state.map { "\(error.message) (SQLSTATE \($0))" } ?? error.message
        switch error.state {
        case nil: self = .unavailable(message)
        // Locks, deadlines, deadlocks and conflicts.
        case "55P03", "57014", "40001", "40P01": self = .busy
        case "53100": self = .full
        case "25006": self = .unavailable("the database takes no changes, as a standby does: \(message)")
        case "42501": self = .storage("the role lacks a right: \(message)")
        case let state? where ["08", "57", "53"].contains(state.prefix(2)): self = .unavailable(message)
        default: self = .storage(message)
        }
    }
}
