import Foundation
import Testing

/// The `triptych` that was built beside these tests.
struct Executable {
    /// What a finished command left.
    struct Result {
        let status: Int32
        let output: String
        let error: String
    }

    let folder: ScratchFolder

    /// Runs a command to its end.
    func run(_ arguments: String...) async throws -> Result {
        try await start(arguments).result()
    }

    /// Runs a command that must succeed, and gives its standard output.
    @discardableResult
    func succeed(_ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation) async throws -> String {
        let result = try await start(arguments).result()
        try #require(
            result.status == 0, "\(arguments.joined(separator: " ")): \(result.error)", sourceLocation: sourceLocation)
        return result.output
    }

    /// Starts a command, in this process's environment and with as many descriptors unless told otherwise.
    func start(
        _ arguments: [String], environment: [String: String]? = nil, descriptors: Int? = nil
    ) throws -> RunningCommand {
        let executable = Bundle.main.bundleURL.appendingPathComponent("triptych")
        let output = folder.file("\(UUID().uuidString).out")
        guard let descriptors else {
            return try RunningCommand(
                executable: executable, arguments: arguments, environment: environment, output: output)
        }
        let script = "ulimit -n \(descriptors) && exec \"$0\" \"$@\""
        return try RunningCommand(
            executable: URL(fileURLWithPath: "/bin/sh"), arguments: ["-c", script, executable.path] + arguments,
            environment: environment, output: output)
    }

    /// Starts a server on a free port and waits until it listens.
    func serve(
        _ arguments: String..., environment: [String: String]? = nil, descriptors: Int? = nil
    ) async throws -> (process: RunningCommand, port: Int) {
        let process = try start(
            ["serve", "--port", "0"] + arguments, environment: environment, descriptors: descriptors)
        while process.isRunning {
            if let match = process.error.firstMatch(of: /listening on http:\/\/127\.0\.0\.1:(\d+)/),
                let port = Int(match.output.1)
            {
                return (process, port)
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw EndToEndError.serverEnded(process.error)
    }
}

enum EndToEndError: Error {
    case serverEnded(String)
}

/// A process whose output goes to files: a pipe that nobody reads would stop it.
final class RunningCommand: Sendable {
    private let process: Process
    private let outputs: URL
    private let errors: URL

    init(executable: URL, arguments: [String], environment: [String: String]?, output: URL) throws {
        outputs = output
        errors = output.deletingPathExtension().appendingPathExtension("err")
        process = Process()
        process.executableURL = executable
        process.arguments = arguments
        if let environment { process.environment = environment }
        for (url, path) in [(output, \Process.standardOutput), (errors, \Process.standardError)] {
            try Data().write(to: url)
            process[keyPath: path] = try FileHandle(forWritingTo: url)
        }
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    var isRunning: Bool { process.isRunning }
    var identifier: Int32 { process.processIdentifier }
    var output: String { (try? String(contentsOf: outputs, encoding: .utf8)) ?? "" }
    var error: String { (try? String(contentsOf: errors, encoding: .utf8)) ?? "" }

    /// Waits for the end without holding one of Swift's threads.
    func result() async throws -> Executable.Result {
        while process.isRunning { try await Task.sleep(for: .milliseconds(10)) }
        return Executable.Result(
            status: process.terminationStatus, output: try String(contentsOf: outputs, encoding: .utf8), error: error)
    }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }
}
