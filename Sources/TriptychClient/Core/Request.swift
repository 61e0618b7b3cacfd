import Documents
import Foundation

/// Any JSON value: what a server says or keeps without this library knowing its form.
public typealias JSONValue = Documents.JSONValue

/// A request as the calls describe it. Nothing of it says where the server is, or with which key.
struct Request: Sendable {
    /// What a request sends.
    enum Body: Sendable {
        case data(Data, type: String)
        /// Read as it is sent; `progress` is told how many bytes are.
        case file(URL, type: String, progress: @Sendable (Int) -> Void)
    }

    let method: String
    /// From the root on, each name percent-encoded.
    let path: String
    var query: [(name: String, value: String?)] = []
    var body: Body?
    /// `Idempotency-Key`.
    var key: String?
    /// Where in the whole the body begins, if it is a piece of it.
    var offset: Int?
    var accept = "application/json"
    /// Whether it may be carried out twice, and so may be sent again when nobody knows what became of it.
    var isRepeatable: Bool
    /// For how long nothing may come; nil for the client's own.
    var timeout: Duration?

    init(_ method: String, _ path: String, isRepeatable: Bool) {
        (self.method, self.path, self.isRepeatable) = (method, path, isRepeatable)
    }

    static func get(_ path: String, _ query: [(name: String, value: String?)] = []) -> Request {
        var request = Request("GET", path, isRepeatable: true)
        request.query = query
        return request
    }

    static func delete(_ path: String) -> Request { Request("DELETE", path, isRepeatable: true) }

    /// A PATCH of this API sets values, so it can be repeated as a PUT can.
    static func put(_ path: String, _ document: some Encodable, method: String = "PUT") throws -> Request {
        var request = Request(method, path, isRepeatable: true)
        request.body = try .json(document)
        return request
    }

    static func patch(_ path: String, _ document: some Encodable) throws -> Request {
        try put(path, document, method: "PATCH")
    }

    /// Something that is begun or made: sent twice it is so twice, unless the caller knows better.
    static func post(_ path: String, _ body: Body? = nil, isRepeatable: Bool = false) -> Request {
        var request = Request("POST", path, isRepeatable: isRepeatable)
        request.body = body
        return request
    }

    static func post(_ path: String, _ document: some Encodable, isRepeatable: Bool = false) throws -> Request {
        post(path, try .json(document), isRepeatable: isRepeatable)
    }
}

extension Request.Body {
    /// Throws `ClientError.invalidArgument` for numbers that JSON cannot hold.
    static func json(_ document: some Encodable) throws -> Request.Body {
        do {
            return .data(try Wire.encoder().encode(document), type: "application/json")
        } catch let error as EncodingError {
            throw ClientError.invalidArgument("expected what JSON can hold, found \(error)")
        }
    }

    /// Throws `ClientError.invalidArgument` for what is no file that can be read.
    static func file(
        _ file: URL, type: String, progress: @escaping @Sendable (_ sent: Int, _ of: Int) -> Void
    ) throws -> Request.Body {
        guard let size = try? FileManager.default.attributesOfItem(atPath: file.path)[.size] as? Int,
            FileManager.default.isReadableFile(atPath: file.path)
        else {
            throw ClientError.invalidArgument("\(file.path): expected a file that can be read")
        }
        return .file(file, type: type) { progress($0, size) }
    }
}

/// A path of names, each escaped: an identity may be called `7/3`.
func path(_ names: String...) -> String { names.reduce("/v1") { "\($0)/\($1.percentEncoded)" } }

extension String {
    /// With nothing but RFC 3986's unreserved characters left as it is.
    var percentEncoded: String {
        let unreserved = CharacterSet(
            charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
        // It is nil for lone surrogates alone, which a Swift string cannot have.
        return addingPercentEncoding(withAllowedCharacters: unreserved) ?? self
    }
}
