import Foundation
import Hummingbird

/// What belongs to one request.
struct ServerContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The client's, if it sent a sane one, or a fresh one; in every answer and every log line.
    var requestID = ""
    /// What it asks for, or what is wrong with that.
    var target: Result<RequestTarget, RequestError> = .failure(.noSuchPath(""))
    /// The connection that it came on.
    let connection: Connection

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        connection = Connection.current ?? Connection(source.channel)
    }

    /// A parameter of the path, percent-decoded. Throws `RequestError.invalid` if it is not UTF-8 then.
    func parameter(_ name: String) throws(RequestError) -> String {
        let raw = parameters.get(name) ?? ""
        guard let decoded = raw.removingPercentEncoding else {
            throw .invalid(field: name, expected: "a percent-encoded name", found: "\"\(raw)\"")
        }
        return decoded
    }
}
