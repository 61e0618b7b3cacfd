import ArgumentParser
import Foundation
import Gallery
import TriptychClient

/// `triptych keys`.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Makes, lists and revokes the keys of a server's clients.",
        discussion: """
            Once a key was made, every request takes one. With --database this works on the database of a server that is not \
            running: so the first key is made, and so one gets back in without any. Without, it asks a running server, with \
            an admin's key.
            """,
        subcommands: [CreateKeyCommand.self, ListKeysCommand.self, RevokeKeyCommand.self])
}

/// Where keys are: a database, or a server.
private struct KeyPlace: ParsableArguments {
    @Option(help: "The database of a server that is not running.")
    var database: String?
    @OptionGroup var server: ServerOptions

    /// Does something with a database, or else asks a server.
    func run<T>(_ offline: (AccessKeyFile) async throws -> T, online: (Client) async throws -> T) async throws -> T {
        guard let database else { return try await online(server.client()) }
        let file = try await AccessKeyFile(path: database)
        do {
            let outcome = try await offline(file)
            try await file.close()
            return outcome
        } catch {
            try? await file.close()
            throw error
        }
    }
}

/// `triptych keys create`.
private struct CreateKeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Makes a key.",
        discussion: "The token goes to the output alone and cannot be read again: redirect it to a file of your own.")

    @Option(help: "For people to read: whose key it is.")
    var name: String
    @Option(
        help: "read, enrol or admin; each may do what the ones before it may.",
        completion: .list(["read", "enrol", "admin"]))
    var role: String
    @Option(
        name: .customLong("gallery"), help: "A gallery that it is for; may be repeated (default: all).",
        completion: .galleries)
    var galleries: [String] = []
    @Option(help: "In how many days it expires (default: never).")
    var days: Int?
    @Option(help: "Requests a minute (default: what the server's configuration says).")
    var requestsPerMinute: Int?
    @Flag(help: "Print the key's identifier and its token as JSON.")
    var json = false
    @OptionGroup var place: KeyPlace

    private struct Made: Encodable {
        let id: String
        let token: String
    }

    private func new() throws -> NewAccessKey {
        guard let role = AccessRole(rawValue: role) else {
            throw ValidationError("--role: expected read, enrol or admin, found \(role)")
        }
        guard (1...36_500).contains(days ?? 1) else {
            throw ValidationError("--days: expected 1 to 36500, found \(days ?? 0)")
        }
        var new = NewAccessKey(name: name, role: role)
        new.galleries = galleries.isEmpty ? nil : galleries
        new.requestsPerMinute = requestsPerMinute
        new.expiresAt = days.map { Date(timeIntervalSinceNow: Double($0) * 86_400) }
        return new
    }

    func run() async throws {
        let new = try new()
        let made = try await place.run {
            let made = try await $0.create(new)
            return Made(id: made.key.id, token: made.token.text)
        } online: { client in
            let made = try await client.createKey(
                NewKey(
                    name: new.name, role: new.role.rawValue, galleries: new.galleries,
                    requestsPerMinute: new.requestsPerMinute, expiresAt: new.expiresAt))
            return Made(id: made.key.id, token: made.token)
        }
        if json { return try Output.json(made) }
        FileHandle.standardError.write(Data("key \(made.id), its token is told this once:\n".utf8))
        print(made.token)
    }
}

/// A key in a list, as a server or a database tells of it.
private struct KeyRow: Encodable {
    let id: String
    let name: String
    let role: String
    let galleries: [String]?
    let requestsPerMinute: Int?
    let createdAt: Date
    let expiresAt: Date?
    let revokedAt: Date?

    init(_ key: AccessKey) {
        (id, name, role, galleries) = (key.id, key.name, key.role.rawValue, key.galleries)
        (requestsPerMinute, createdAt) = (key.requestsPerMinute, key.createdAt)
        (expiresAt, revokedAt) = (key.expiresAt, key.revokedAt)
    }

    init(_ key: Key) {
        (id, name, role, galleries) = (key.id, key.name, key.role, key.galleries)
        (requestsPerMinute, createdAt) = (key.requestsPerMinute, key.createdAt)
        (expiresAt, revokedAt) = (key.expiresAt, key.revokedAt)
    }

    var cells: [String] {
        let day = { (time: Date?) in time.map { String(Wire.text($0).prefix(10)) } ?? "" }
        let hasExpired = expiresAt.map { $0 <= Date() } ?? false
        let state = revokedAt != nil ? "revoked \(day(revokedAt))" : hasExpired ? "expired" : ""
        return [
            id, name, role, galleries?.joined(separator: " ") ?? "all",
            requestsPerMinute.map { "\($0)/min" } ?? "", day(createdAt), day(expiresAt), state,
        ]
    }
}

/// `triptych keys list`.
private struct ListKeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists every key that was made.")

    @Flag(help: "Print the list as JSON.")
    var json = false
    @OptionGroup var place: KeyPlace

    func run() async throws {
        let keys = try await place.run {
            try await $0.all().map(KeyRow.init)
        } online: {
            try await $0.keys().map(KeyRow.init)
        }
        if json { return try Output.json(keys) }
        Output.table([["key", "name", "role", "galleries", "rate", "made", "expires", ""]] + keys.map(\.cells))
    }
}

/// `triptych keys revoke`.
private struct RevokeKeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Makes a key useless, at once and for ever.")

    @Argument(help: "The key's identifier, as `triptych keys list` shows it.")
    var key: String
    @Flag(help: "Print the key as JSON.")
    var json = false
    @OptionGroup var place: KeyPlace

    func run() async throws {
        let revoked = try await place.run {
            KeyRow(try await $0.revoke(key))
        } online: {
            KeyRow(try await $0.revokeKey(key))
        }
        if json { return try Output.json(revoked) }
        print("revoked \(revoked.id), \(revoked.name)")
    }
}
