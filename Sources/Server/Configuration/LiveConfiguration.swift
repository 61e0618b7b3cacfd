import Documents
import Serving

/// The configuration in force. What of it may change while the server runs is asked for anew by each request.
package final class LiveConfiguration: Sendable {
    private struct State: Sendable {
        var configuration: ServerConfiguration
        var names: Names

        init(_ configuration: ServerConfiguration) {
            (self.configuration, names) = (configuration, Names(configuration))
        }
    }

    /// What requests are compared with.
    struct Names: Sendable {
        /// Of this server, lower case.
        let hosts: Set<String>
        /// Whose pages may use it, as browsers write them: lower case.
        let origins: Set<String>

        init(_ configuration: ServerConfiguration) {
            hosts = Set((configuration.hosts + [configuration.host]).map { $0.lowercased() })
            origins = Set(configuration.origins)
        }
    }

    private let state: Live<State>

    /// Begins with what the server was started with.
    package init(_ configuration: ServerConfiguration) { state = Live(State(configuration)) }

    package var configuration: ServerConfiguration { state.current.configuration }
    package var limits: ServerConfiguration.Limits { configuration.limits }
    var names: Names { state.current.names }

    /// Takes over of another configuration what may change. Throws `ServerError.configuration` if that contradicts what stays;
    /// then nothing has changed.
    package func adopt(_ other: ServerConfiguration) throws(ServerError) {
        var next = configuration
        for key in LiveKey.all { key.take(&next, other) }
        try next.validate()
        state.set(State(next))
    }
}

/// A key of the configuration that may change while the server runs.
struct LiveKey: Sendable {
    let path: String
    let take: @Sendable (inout ServerConfiguration, ServerConfiguration) -> Void

    private init<Value>(
        _ path: String, _ member: any WritableKeyPath<ServerConfiguration, Value> & Sendable
    ) {
        self.path = path
        take = { $0[keyPath: member] = $1[keyPath: member] }
    }

    /// Every one. All others need a restart: what is made once at the start depends on them.
    static let all = [
        LiveKey("hosts", \.hosts),
        LiveKey("cors.origins", \.origins),
        LiveKey("log.level", \.log.level),
        LiveKey("quality.min_side", \.quality.side),
        LiveKey("quality.min_sharpness", \.quality.sharpness),
        LiveKey("quality.min_contrast", \.quality.contrast),
        LiveKey("jobs.retention_days", \.retention.jobs),
        LiveKey("events.retention_days", \.retention.events),
        LiveKey("audit.retention_days", \.retention.audit),
        LiveKey("limits.requests_per_minute", \.limits.requestsPerMinute),
        LiveKey("limits.requests_in_flight", \.limits.requestsInFlight),
        LiveKey("limits.bytes_in_flight", \.limits.bytesInFlight),
        LiveKey("limits.uploads", \.limits.uploads),
        LiveKey("limits.event_streams", \.limits.eventStreams),
    ]
    static let paths = Set(all.map(\.path))
}
