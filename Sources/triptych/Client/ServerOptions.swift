import ArgumentParser
import Foundation

/// Which server a command speaks with, and by which key.
struct ServerOptions: ParsableArguments {
    @Option(help: "The server (default: TRIPTYCH_URL, or http://127.0.0.1:8080).")
    var server: String?
    @Option(
        help: ArgumentHelp(
            "A file that holds the key (default: the one that TRIPTYCH_KEY_FILE names, or TRIPTYCH_KEY itself).",
            discussion: "A key has no place among arguments: every user of the machine sees them."))
    var keyFile: String?

    /// Throws `APIClient.Failure.notAURL`, or `ValidationError` for a file that cannot be read.
    func client() throws -> APIClient {
        let environment = ProcessInfo.processInfo.environment
        return try APIClient(
            server: server ?? environment["TRIPTYCH_URL"] ?? "http://127.0.0.1:8080", key: key(environment))
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
