import Crypto
import Documents
import Foundation
import HTTPTypes
import Hummingbird

/// GET `/`, `/console`, `/console/{file}`: the console, files that hold nothing and are open to everyone.
struct ConsoleEndpoints {
    /// What a page of the console may do: run and show what this server sends, talk to it, and nothing else. Nobody frames it,
    /// and no text becomes markup (Content Security Policy 3, Trusted Types).
    static let policy = """
        default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; base-uri 'none'; \
        form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'
        """

    func add(to router: Router<ServerContext>) {
        router.get("/") { _, _ in Self.toFolder }
        router.get("/console") { request, context in
            // What the page names is beside it, so it must be in the folder.
            guard try context.target.get().segments.count > 1 else { return Self.toFolder }
            return try Self.answer("index.html", to: request)
        }
        router.get("/console/{file}") { request, context in
            try Self.answer(try context.parameter("file"), to: request)
        }
    }

    /// Relative, so that it holds behind a proxy that serves all of this below a path.
    private static var toFolder: Response { Response(status: .permanentRedirect, headers: [.location: "console/"]) }

    /// Throws `RequestError.noSuchPath`.
    private static func answer(_ name: String, to request: Request) throws(RequestError) -> Response {
        guard let file = ConsoleFile.all[name] else { throw .noSuchPath(request.uri.path) }
        var headers: HTTPFields = [.eTag: "W/\(file.tag)", .cacheControl: "no-cache", .contentSecurityPolicy: policy]
        if Answer.hasTag(file.tag, request) { return Response(status: .notModified, headers: headers) }
        headers[.contentType] = file.type
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: file.bytes)))
    }
}

/// A file of the console.
struct ConsoleFile: Sendable {
    let bytes: [UInt8]
    let type: String
    /// Quoted; weak, since the answer may be compressed.
    let tag: String

    private static let types = [
        "css": "text/css; charset=utf-8", "html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8",
        "svg": "image/svg+xml",
    ]

    /// By name.
    static let all = Dictionary(uniqueKeysWithValues: embedded.map { ($0, ConsoleFile(name: $0, bytes: $1)) })

    private init(name: String, bytes: [UInt8]) {
        self.bytes = bytes
        type = Self.types[name.split(separator: ".").last.map(String.init) ?? ""] ?? "application/octet-stream"
        tag = "\"\(SHA256.hash(data: bytes).prefix(16).hexadecimal)\""
    }
}
