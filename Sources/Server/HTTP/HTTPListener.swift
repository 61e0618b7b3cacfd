import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle

/// The socket that listens. It ends gracefully: nothing new is accepted, what is under way is answered, and what is not
/// done after `shutdown_seconds` is cut off.
struct HTTPListener: ServiceLifecycle.Service {
    let configuration: ServerConfiguration
    let responder: ServerResponder
    let logger: Logger
    /// Told the port once it listens.
    let running: @Sendable (Int) async -> Void
    /// nil for HTTP without TLS.
    private let certificate: ServerCertificate?
    private let pool: ConnectionPool

    init(
        _ configuration: ServerConfiguration, _ certificate: ServerCertificate?, _ pool: ConnectionPool,
        _ responder: ServerResponder, _ logger: Logger, running: @escaping @Sendable (Int) async -> Void
    ) {
        (self.configuration, self.responder, self.logger, self.running) = (configuration, responder, logger, running)
        (self.certificate, self.pool) = (certificate, pool)
    }

    func run() async throws {
        // Cancelled, and so at its end, if the application ends first.
        async let _ = closeLate()
        async let _ = certificate?.renewing()
        try await application.run()
    }

    private func closeLate() async {
        do {
            try await gracefulShutdown()
            try await Task.sleep(for: .seconds(configuration.limits.shutdownSeconds))
        } catch {}  // Cancelled: at once.
        pool.closeAll()
    }

    private var application: some ApplicationProtocol {
        Application(
            responder: responder,
            server: HTTPServerBuilder { [limits = configuration.limits, certificate, pool] responder in
                let http = HTTP1Channel(responder: responder, configuration: limits.channel)
                let http1 = GuardedChannel(http: http, pool: pool, limits: limits, isSecure: certificate != nil)
                guard let certificate else { return http1 }
                return SecureChannel(
                    certificate: certificate, http1: http1, http2: StreamsChannel(http: http, limits: limits))
            },
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port), serverName: "triptych", backlog: 1024),
            onServerRunning: { channel in
                // A channel that has closed since accepts nothing.
                try? await channel.eventLoop.submit {
                    try channel.pipeline.syncOperations.addHandler(AcceptPause(pool, logger), position: .first)
                }.get()
                await running(channel.localAddress?.port ?? 0)
            }, logger: logger)
    }
}

extension ServerConfiguration.Limits {
    /// For Hummingbird.
    fileprivate var channel: HTTP1Channel.Configuration {
        HTTP1Channel.Configuration(
            idleTimeout: .seconds(Int64(idleSeconds)),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: headerBytes, maxHeaderListSize: headerBytes, maxHeaderFieldCount: headerFields))
    }
}
