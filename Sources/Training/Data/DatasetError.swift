import Imaging

/// Why a data set cannot be used.
public enum DatasetError: Error, Sendable, CustomStringConvertible {
    /// No such folder.
    case missing(String)
    /// A folder without what it should hold.
    case empty(String, String)
    /// A file whose name does not say identity and camera.
    case unreadableName(String)
    /// A file that is not an image.
    case unreadableImage(String, ImagingError)
    /// A file that cannot be read at all.
    case unreadableFile(String, String)
    /// Too few identities or sightings for what is asked of them.
    case tooFew(String)

    /// What was expected and what was found.
    public var description: String {
        switch self {
        case .missing(let path): "expected a folder with a data set, found nothing at \(path)"
        case .empty(let path, let what): "expected \(what) in \(path), found none"
        case .unreadableName(let path):
            "expected a file name <identity>_c<camera>_<n>, such as 0007_c2_001.jpg, found \(path)"
        case .unreadableImage(let path, let error): "\(path): \(error)"
        case .unreadableFile(let path, let reason): "\(path): \(reason)"
        case .tooFew(let what): what
        }
    }
}
