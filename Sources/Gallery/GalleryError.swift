/// What can go wrong with a gallery.
public enum GalleryError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was looked for or made.
    public enum Subject: String, Sendable {
        /// A named set of identities.
        case gallery
        /// What sightings belong to.
        case identity
        /// One enrolled triple.
        case sighting
        /// A sighting's kept image.
        case image
        /// Something long that a server does.
        case job
        /// A change of what belongs to whom.
        case correction
        /// What a client proves who it is with.
        case key
        /// Somebody who is called with what happens.
        case webhook
        /// How well a gallery's sightings find each other.
        case evaluation
        /// Where a gallery's sightings are in the plane.
        case map
    }

    /// There is no such thing, by its name or identifier.
    case notFound(Subject, String)
    /// The name or identifier is taken.
    case alreadyExists(Subject, String)
    /// A correction cannot be undone any more, or not yet; says why.
    case outdated(String)
    /// The idempotency key was used for a different request.
    case idempotencyConflict(key: String)
    /// An argument breaks a rule.
    case invalid(field: String, expected: String, found: String)
    /// Fewer sightings to learn from than it takes.
    case tooFew(expected: Int, found: Int)
    /// No set of modalities by which a passage can be compared has a threshold that can be used.
    case noThreshold(model: String, sets: [[String]], areStale: Bool)
    /// The gallery has vectors, but none of the model asked for.
    case modelMismatch(requested: String, available: [String])
    /// Another model became the active one before an enrolment was committed that it has not embedded.
    case modelChanged(active: String)
    /// A vector has another dimension than the model's.
    case dimensionMismatch(model: String, expected: Int, found: Int)
    /// The database was written by a later release.
    case newerSchema(found: Int, supported: Int)
    /// Servers of an earlier release use the tables of the database at this address, which this release would have to change.
    case olderServers(String, names: [String])
    /// The file is not a gallery database; says what it is.
    case notADatabase(String)
    /// Another process owns the database at this path.
    case inUse(String)
    /// Another connection held the database for longer than the configured wait.
    case busy
    /// The database cannot be reached at the moment; says why.
    case unavailable(String)
    /// This server's index does not hold a transaction yet, by its number.
    case behind(sequence: Int64, expected: Int64)
    /// It cannot be done the way this gallery is searched; says what can.
    case unsupported(String)
    /// The disk is full.
    case full
    /// The database or the disk failed; says how.
    case storage(String)

    /// Whoever asks comes after the end.
    static let closed = GalleryError.storage("the database was closed")

    /// What was expected and what was found.
    public var description: String {
        switch self {
        case .notFound(let subject, let name): "there is no \(subject.rawValue) '\(name)'"
        case .alreadyExists(let subject, let name): "there is already a \(subject.rawValue) '\(name)'"
        case .outdated(let why): "the correction cannot be undone: \(why)"
        case .idempotencyConflict(let key): "the idempotency key '\(key)' was used for a different request"
        case .invalid(let field, let expected, let found): "\(field): expected \(expected), found \(found)"
        case .modelMismatch(let requested, let available):
            "the gallery has no vectors of the model \(requested), but of \(available.joined(separator: ", "))"
        case .modelChanged(let active):
            "the model \(active) has become active meanwhile: expected vectors of it, found those of the one before"
        case .tooFew(let expected, let found):
            "expected at least \(expected) sightings of two identities or more, found \(found)"
        case .noThreshold(let model, let sets, let areStale):
            "the gallery has no \(areStale ? "thresholds but stale ones" : "threshold") for the model \(model) and "
                + sets.map { $0.joined(separator: "+") }.joined(separator: ", ") + ": set or calibrate one"
        case .dimensionMismatch(let model, let expected, let found):
            "vectors of the model \(model) have \(expected) elements, found \(found)"
        case .newerSchema(let found, let supported):
            "the database has schema version \(found), this release reads versions up to \(supported)"
        case .olderServers(let path, let names):
            "\(path): this release has to change the tables, and servers of an earlier one use them "
                + "(\(names.isEmpty ? "what they are called is not known" : names.joined(separator: ", "))): "
                + "stop every server of the database, then start this one; one that was killed counts for 15 seconds"
        case .notADatabase(let what): "not a gallery database: \(what)"
        case .inUse(let path): "\(path): another process serves this database"
        case .busy: "the database is busy"
        case .unavailable(let why): "the database cannot be reached: \(why)"
        case .behind(let sequence, let expected):
            "this server has followed the database up to \(sequence), expected up to \(expected)"
        case .unsupported(let why): "not offered here: \(why)"
        case .full: "the disk is full"
        case .storage(let what): "storage: \(what)"
        }
    }

    /// Whether it says only that the database is not there at the moment, or another connection has it: the same may succeed later.
    package var isOfAbsence: Bool {
        switch self {
        case .unavailable, .inUse: true
        default: false
        }
    }
}
