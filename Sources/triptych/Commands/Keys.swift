import ArgumentParser
import Documents
import Foundation
import Gallery

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
    func run<T>(_ offline: (AccessKeyFile) throws -> T, online: (APIClient) async throws -> T?) async throws -> T {
        guard let database else {
            guard let answer = try await online(server.client()) else { throw ExitCode.failure }
            return answer
        }
        let file = try AccessKeyFile(path: database)
        let outcome = Result { try offline(file) }
        try file.close()
        return try outcome.get()
    }
}

/// `triptych keys create`.
private struct CreateKeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Makes a key.",
        discussion: "The token goes to the output alone and cannot be read again: redirect it to a file of your own.")

    @Option(help: "For people to read: whose key it is.")
    var name: String
    @Option(help: "read, enrol or admin; each may do what the ones before it may.")
    var role: String
    @Option(name: .customLong("gallery"), help: "A gallery that it is for; may be repeated (default: all).")
    var galleries: [String] = []
    @Option(help: "In how many days it expires (default: never).")
    var days: Int?
    @Option(help: "Requests a minute (default: what the server's configuration says).")
    var requestsPerMinute: Int?
    @OptionGroup var place: KeyPlace

    private struct Made: Decodable {
        let token: String
        let key: KeyRow
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
        let (id, token) = try await place.run {
            let made = try $0.create(new)
            return (made.key.id, made.token.text)
        } online: { client in
            let body = try Output.encoder().encode(Body(new))
            let made = try await client.send(
                "POST", ["v1", "keys"], body: ("application/json", body), as: Made.self)
            return made.map { ($0.key.id, $0.token) }
        }
        FileHandle.standardError.write(Data("key \(id), its token is told this once:\n".utf8))
        print(token)
    }

    private struct Body: Encodable {
        let name: String
        let role: AccessRole
        let galleries: [String]?
        let requestsPerMinute: Int?
        let expiresAt: Date?

        init(_ new: NewAccessKey) {
            (name, role, galleries) = (new.name, new.role, new.galleries)
            (requestsPerMinute, expiresAt) = (new.requestsPerMinute, new.expiresAt)
        }
    }
}

/// A key in a list, as a server or a database tells of it.
private struct KeyRow: Codable {
    let id: String
    let name: String
    let role: String
    let galleries: [String]?
    let requestsPerMinute: Int?
    /// Times in RFC 3339, as servers tell them.
    let createdAt: String
    let expiresAt: String?
    let revokedAt: String?

    init(_ key: AccessKey) {
        (id, name, role, galleries) = (key.id, key.name, key.role.rawValue, key.galleries)
        (requestsPerMinute, createdAt) = (key.requestsPerMinute, key.createdAt.formatted(.iso8601))
        (expiresAt, revokedAt) = (key.expiresAt?.formatted(.iso8601), key.revokedAt?.formatted(.iso8601))
    }

    var cells: [String] {
        let day = { (time: String?) in time.map { String($0.prefix(10)) } ?? "" }
        let hasExpired = expiresAt.map { $0 <= Date().formatted(.iso8601) } ?? false
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

    private struct List: Decodable {
        let items: [KeyRow]
    }

    func run() async throws {
        let keys = try await place.run {
            try $0.all().map(KeyRow.init)
        } online: {
            try await $0.send("GET", ["v1", "keys"], as: List.self)?.items
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
    @OptionGroup var place: KeyPlace

    func run() async throws {
        let revoked = try await place.run {
            KeyRow(try $0.revoke(key))
        } online: {
            try await $0.send("DELETE", ["v1", "keys", key], as: KeyRow.self)
        }
        print("revoked \(revoked.id), \(revoked.name)")
    }
}
