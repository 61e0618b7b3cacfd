import ArgumentParser
import Foundation
import TriptychClient

/// Which server a command speaks with, and by which key.
struct ServerOptions: ParsableArguments {
    @Option(help: "The server (default: TRIPTYCH_URL, or http://127.0.0.1:8080).")
    var server: String?
    @Option(
        help: ArgumentHelp(
            "A file that holds the key (default: the one that TRIPTYCH_KEY_FILE names, or TRIPTYCH_KEY itself).",
            discussion: "A key has no place among arguments: every user of the machine sees them."),
        completion: .file())
    var keyFile: String?

    /// Throws `ValidationError` for an address or a key that cannot be one, and for a file that cannot be read.
    func client() throws -> Client {
        let environment = ProcessInfo.processInfo.environment
        let address = server ?? environment["TRIPTYCH_URL"] ?? "http://127.0.0.1:8080"
        guard let url = URL(string: address) else {
            throw ValidationError("--server: expected a URL such as http://127.0.0.1:8080, found '\(address)'")
        }
        return try Usage.checked { try Client(url, key: key(environment)) }
    }

    private func key(_ environment: [String: String]) throws -> String? {
        if keyFile == nil, environment["TRIPTYCH_KEY_FILE"] == nil { return environment["TRIPTYCH_KEY"] }
        let path = keyFile ?? environment["TRIPTYCH_KEY_FILE"] ?? ""
        do {
            return try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        } catch {
            throw ValidationError("--key-file: \(path): \(error.localizedDescription)")
        }
    }
}

/// What is wrong with what was given, told as the parser of arguments tells it, and with its exit status.
enum Usage {
    /// Throws `ValidationError` for `ClientError.invalidArgument`, and what else the body throws.
    static func checked<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch ClientError.invalidArgument(let text) {
            throw ValidationError(text)
        }
    }
}

/// A gallery of a server's.
struct GalleryOptions: ParsableArguments {
    @Option(help: "The gallery.", completion: .galleries)
    var gallery: String
    @OptionGroup var server: ServerOptions

    /// Throws as `ServerOptions.client()`.
    func client() throws -> GalleryClient { try server.client().gallery(gallery) }
}

extension CompletionKind {
    /// The galleries of the server that the environment names, as far as it tells them at once.
    static var galleries: CompletionKind {
        .custom { _, _, _ in await names { try await $0.galleries(pageSize: 1000).all().map(\.name) } }
    }

    /// The same of its models.
    static var models: CompletionKind {
        .custom { _, _, _ in await names { try await $0.models(pageSize: 1000).all().map(\.model) } }
    }

    /// A shell waits for them: a server that cannot be reached, or is slow, has none.
    private static func names(_ ask: (Client) async throws -> [String]) async -> [String] {
        let environment = ProcessInfo.processInfo.environment
        let file = environment["TRIPTYCH_KEY_FILE"].flatMap { try? String(contentsOfFile: $0, encoding: .utf8) }
        let key = (file ?? environment["TRIPTYCH_KEY"])?.trimmingCharacters(in: .whitespacesAndNewlines)
        let url = URL(string: environment["TRIPTYCH_URL"] ?? "http://127.0.0.1:8080")
        guard let url, let client = try? Client(url, key: key, timeout: .seconds(1), retries: .none) else { return [] }
        return (try? await ask(client)) ?? []
    }
}
