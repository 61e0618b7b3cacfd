import ArgumentParser
import TriptychClient

/// `triptych servers`.
struct ServersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "servers", abstract: "Lists the servers that share a gallery, and how far each has followed it.",
        discussion: "None where the server that is asked has its gallery alone.")

    @OptionGroup var server: ServerOptions
    @Flag(help: "Print the list as JSON.")
    var json = false

    func run() async throws {
        let servers = try await server.client().servers()
        if json { return try Output.json(servers) }
        Output.table(
            [["name", "state", "sequence", "since", "last seen"]]
                + servers.items.map {
                    [
                        $0.name, !$0.live ? "away" : $0.leader ? "leader" : "member", "\($0.sequence)",
                        Wire.text($0.startedAt), Wire.text($0.lastSeen),
                    ]
                })
    }
}
