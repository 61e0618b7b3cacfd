/// What is wrong with a request about models or jobs.
package enum ModelError: Error, Equatable, CustomStringConvertible {
    /// No verified checkpoint has this digest.
    case notFound(String)
    /// A file that is not a model that this server can use.
    case refused(reason: String)
    /// The active model cannot be deleted.
    case active(String)
    /// A job uses it or works already.
    case busy(job: String)
    /// A model is being erased.
    case erasing
    /// Sightings without images, which another model cannot embed.
    case imagesMissing(count: Int, reason: String)
    /// A job that has ended.
    case ended(job: String)
    /// Loading the model would take more bytes than there are.
    case insufficientMemory(limit: Int, inUse: Int, needed: Int)
    /// The models' folder cannot be used.
    case storage(String)

    /// Whether the same may work once less memory is in use.
    var isOfMemory: Bool {
        if case .insufficientMemory = self { return true }
        return false
    }

    package var description: String {
        switch self {
        case .notFound(let model): "no model \(model)"
        case .refused(let reason): "not a model that can be used: \(reason)"
        case .active(let model): "the model \(model) is active: expected another to be activated first"
        case .busy(let job): "job \(job) is running: expected it to end or to be cancelled first"
        case .erasing: "a model is being erased: expected that to end first"
        case .imagesMissing(let count, let reason):
            "the images of \(count) sightings were not kept, so the model cannot embed them: \(reason)"
        case .ended(let job): "job \(job) has ended"
        case .insufficientMemory(let limit, let inUse, let needed):
            "insufficient memory: expected at most \(limit) bytes, found \(inUse) in use and \(needed) more for the model"
        case .storage(let reason): "the models' folder: \(reason)"
        }
    }
}
