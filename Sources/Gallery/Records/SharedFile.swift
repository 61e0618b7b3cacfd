import Foundation

/// A file that servers of one database keep for each other.
public struct SharedFile: Sendable, Equatable {
    /// What is known of it.
    public enum State: String, Sendable {
        /// It is being put in, or whoever did so has ended.
        case coming
        /// It can be fetched.
        case whole
        /// It was withdrawn: a copy that a server has is not wanted any more.
        case gone
    }

    /// As `model/` and its digest.
    public let name: String
    /// Its size.
    public let bytes: Int
    /// SHA-256 of its bytes, in hexadecimal; empty while it is coming.
    public let digest: String
    /// What is known of it.
    public let state: State
    /// When that has changed last, or a piece has come, by the database's clock.
    public let changedAt: Date

    init(_ row: SQLRow) {
        (name, bytes, digest) = (row["name"], row["bytes"], row["digest"])
        state = State(rawValue: row["state"]) ?? .coming
        changedAt = Date(milliseconds: row["changed_at"])
    }
}

/// Which model the servers of a database answer with, and which one they get ready.
public struct ModelPlan: Sendable, Equatable {
    /// What a server has made of the model that is to be the active one.
    public struct Preparation: Sendable, Equatable {
        /// A `GalleryMember.id`.
        public let member: String
        /// Why it cannot load it; nil once everything new there is embedded by both models.
        public let failure: String?
    }

    /// The model that answers; nil if there was none ever.
    public let active: String?
    /// The one that is to be the active one, and the job that makes it that.
    public let candidate: Candidate?
    /// Of the candidate, by each server that has said so.
    public let preparations: [Preparation]

    /// A model on its way.
    public struct Candidate: Sendable, Equatable {
        /// The model's name.
        public let model: String
        /// The activation's.
        public let job: String
        /// The model whose vectors are taken for its own of sightings without images; nil if none may be.
        public let standIn: String?
        /// Whether what is enrolled is embedded by it too; before that, only what is enrolled already.
        public let takesEnrolments: Bool

        /// A model for a job.
        public init(model: String, job: String, standIn: String? = nil, takesEnrolments: Bool = true) {
            (self.model, self.job, self.standIn, self.takesEnrolments) = (model, job, standIn, takesEnrolments)
        }
    }
}
