import Foundation

/// A file that holds a secret: what no configuration, environment or command line should hold itself.
package enum SecretFile {
    /// The secret, without one newline at its end.
    ///
    /// - Parameters:
    ///   - path: of the file.
    ///   - key: of the configuration, which errors name.
    /// - Throws: `ServerError.configuration` for a file that cannot be read, that others than its owner can read, or that is
    ///   empty.
    package static func read(_ path: String, for key: String) throws(ServerError) -> String {
        guard let contents = FileManager.default.contents(atPath: path) else {
            throw .configuration("\(key): expected a file that can be read, found none at \(path)")
        }
        if let mode = modeForOthers(path) {
            throw .configuration("\(key): expected a file that its owner alone can read, found mode \(mode) of \(path)")
        }
        guard var secret = String(bytes: contents, encoding: .utf8) else {
            throw .configuration("\(key): expected text in UTF-8, found other bytes in \(path)")
        }
        // A carriage return and a newline are one character.
        if secret.last?.isNewline == true { secret.removeLast() }
        guard !secret.isEmpty else { throw .configuration("\(key): expected a secret, found nothing in \(path)") }
        return secret
    }

    /// The file's mode in octal, if others than its owner may do anything with it.
    static func modeForOthers(_ path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & 0o077 != 0 else { return nil }
        return "0" + String(status.st_mode & 0o777, radix: 8)
    }
}
