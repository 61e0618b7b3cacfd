import Documents
import Foundation

/// What is wrong with a request about models or jobs.
package enum ModelError: Error, Equatable, CustomStringConvertible {
    /// No verified checkpoint has this digest.
    case notFound(String)
    /// A file that is not a model that this server can use.
    case refused(reason: String)
    /// The active model cannot be deleted.
    case active(String)
    /// A job uses it.
    case busy(job: String)
    /// It is being erased.
    case erasing(String)
    /// So many jobs of a class wait that no more are taken.
    case tooManyJobs(JobClass, limit: Int)
    /// Sightings without images, which another model cannot embed.
    case imagesMissing(count: Int, reason: String)
    /// The model knows fewer modalities than the active one: images of these would be refused.
    case modalitiesLost([String])
    /// Loading the model would take more bytes than there are.
    case insufficientMemory(limit: Int, inUse: Int, needed: Int)
    /// No upload under way has this identifier.
    case uploadNotFound(String)
    /// Another request is at work on it.
    case uploadBusy(String)
    /// A piece that does not begin where the one before it ended.
    case uploadOffset(expected: Int, found: Int)
    /// So many uploads are under way that no more are taken.
    case tooManyUploads(limit: Int)
    /// There is no room for a file in the models' folder.
    case full(String)
    /// The models' folder or a file in it cannot be used.
    case storage(String)

    package var description: String {
        switch self {
        case .notFound(let model): "no model \(model)"
        case .refused(let reason): "not a model that can be used: \(reason)"
        case .active(let model): "the model \(model) is active: expected another to be activated first"
        case .busy(let job): "job \(job) uses the model: expected it to end or to be cancelled first"
        case .erasing(let model): "the model \(model) is being erased"
        case .tooManyJobs(let kind, let limit): "\(limit) jobs of the class \(kind.rawValue) wait: expected fewer"
        case .imagesMissing(let count, let reason):
            "the images of \(count) sightings were not kept, so the model cannot embed them: \(reason)"
        case .modalitiesLost(let names):
            "the model does not know \(names.joined(separator: ", ")), which the active one does: requests with such images "
                + "would be refused; expected allow_fewer_modalities=true if that is meant"
        case .insufficientMemory(let limit, let inUse, let needed):
            "insufficient memory: expected at most \(limit) bytes, found \(inUse) in use and \(needed) more for the model"
        case .uploadNotFound(let id): "no upload \(id)"
        case .uploadBusy(let id): "another request is at work on the upload \(id): expected it to end first"
        case .uploadOffset(let expected, let found): "the upload goes on at byte \(expected), found \(found)"
        case .tooManyUploads(let limit):
            "\(limit) uploads are under way: expected some of them to be finished or deleted first"
        case .full(let file): "the models' folder: no room for \(file)"
        case .storage(let reason): "the models' folder: \(reason)"
        }
    }
}

extension ModelError {
    /// Whether the file may be a model all the same: memory was short, or the system refused to read it.
    var mayPass: Bool {
        switch self {
        case .insufficientMemory, .storage, .full: true
        default: false
        }
    }

    /// A refusal of the system.
    init(_ error: FileError, file: String) {
        self = [ENOSPC, EDQUOT].contains(error.code) ? .full(file) : .storage("\(file): \(error)")
    }

    /// What Foundation says of a file.
    init(_ error: any Error, file: String) {
        let code = ((error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError)?.code ?? (error as NSError).code
        let isFull = (error as? CocoaError)?.code == .fileWriteOutOfSpace || [ENOSPC, EDQUOT].contains(Int32(code))
        self = isFull ? .full(file) : .storage("\(file): \(error.localizedDescription)")
    }
}
