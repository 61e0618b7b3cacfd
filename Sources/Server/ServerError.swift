/// Why a server does not start.
public enum ServerError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A configuration that cannot be used.
    case configuration(String)
    /// The models' folder, or the active model in it, cannot be used.
    case models(String)
    /// Another process listens there.
    case addressInUse(host: String, port: Int)
    /// The address cannot be listened on.
    case cannotListen(host: String, port: Int, reason: String)

    /// What was expected and what was found.
    public var description: String {
        switch self {
        case .configuration(let reason), .models(let reason): reason
        case .addressInUse(let host, let port): "cannot listen on \(host):\(port): address already in use"
        case .cannotListen(let host, let port, let reason): "cannot listen on \(host):\(port): \(reason)"
        }
    }
}
