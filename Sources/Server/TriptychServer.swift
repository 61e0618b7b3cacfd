import Foundation
import Gallery
import Hummingbird
import HummingbirdCore
import Inference
import Logging
import NIOCore
import ServiceLifecycle

/// The HTTP service: the one place where everything is put together, for the executable and for tests.
public struct TriptychServer: Sendable {
    private let configuration: ServerConfiguration
    private let service: Service
    private let logger: Logger

    /// Puts a server together around any encoder.
    ///
    /// - Parameters:
    ///   - configuration: addresses and limits; its checkpoint and database are the caller's to open.
    ///   - encoder: the model that answers.
    ///   - gallery: opened; closed when the server ends.
    ///   - logger: of the server and its requests.
    /// - Throws: `ServerError.configuration`, `ModelError` or `GalleryError`.
    package init(
        configuration: ServerConfiguration, encoder: any TripleEncoder, gallery: GalleryStore, logger: Logger
    ) async throws {
        try configuration.validate()
        let metrics = ServerMetrics()
        let catalog = try await Self.catalog(configuration, gallery, metrics, logger)
        self.init(configuration, encoder, catalog, gallery, metrics, logger)
    }

    init(
        _ configuration: ServerConfiguration, _ encoder: any TripleEncoder, _ catalog: ModelCatalog,
        _ gallery: GalleryStore, _ metrics: ServerMetrics, _ logger: Logger
    ) {
        (self.configuration, self.logger) = (configuration, logger)
        service = Service(
            configuration, encoder: encoder, catalog: catalog, gallery: gallery, metrics: metrics, logger: logger)
    }

    /// The digest of the model that answers.
    public var model: String { service.models.active.model }

    /// The routes, as `METHOD /path/{parameter}`.
    package var routes: [String] { Self.router(service).routes.map { "\($0.method) \($0.path)" } }

    private static func router(_ service: Service) -> Router<ServerContext> {
        let router = Router(context: ServerContext.self, options: [.autoGenerateHeadEndpoints])
        // Middleware comes before routes; the routes it reports on are those of a router without any.
        let plain = Router(context: ServerContext.self)
        addEndpoints(service, to: plain)
        let table = RouteTable(plain.routes.map { ($0.path.description, $0.method) })
        router.add(middleware: RequestIDMiddleware())
        router.add(middleware: MetricsMiddleware(metrics: service.metrics))
        router.add(middleware: ProblemMiddleware(routes: table))
        router.add(
            middleware: LimitsMiddleware(gate: AdmissionGate(service.limits), limits: service.limits))
        addEndpoints(service, to: router)
        return router
    }

    private static func addEndpoints(_ service: Service, to router: Router<ServerContext>) {
        HealthEndpoints(service: service).add(to: router)
        EmbeddingEndpoint(service: service).add(to: router)
        ComparisonEndpoint(service: service).add(to: router)
        GalleryEndpoints(service: service).add(to: router)
        QueryEndpoint(service: service).add(to: router)
        IdentityEndpoints(service: service).add(to: router)
        SightingEndpoints(service: service).add(to: router)
        ModelEndpoints(service: service).add(to: router)
        JobEndpoints(service: service).add(to: router)
    }

    /// The application that listens; `running` is told the port.
    private func application(_ running: @escaping @Sendable (Int) async -> Void) -> some ApplicationProtocol {
        let limits = configuration.limits
        return Application(
            router: Self.router(service),
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [ConnectionGuard(limits)],
                    idleTimeout: .seconds(Int64(limits.idleSeconds)),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: limits.headerBytes, maxHeaderListSize: limits.headerBytes,
                        maxHeaderFieldCount: 100))),
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port), serverName: "triptych",
                availableConnectionsDelegate: MaximumAvailableConnections(limits.connections)),
            onServerRunning: { channel in await running(channel.localAddress?.port ?? 0) }, logger: logger)
    }

    /// Serves until the task is cancelled or, if `signals` says so, until SIGTERM or SIGINT; then answers what is under way
    /// and closes the gallery.
    ///
    /// - Parameters:
    ///   - signals: whether to end on signals.
    ///   - running: told the port once the server listens.
    /// - Throws: `ServerError.addressInUse` or `ServerError.cannotListen`.
    public func run(signals: Bool = true, running: @escaping @Sendable (Int) async -> Void = { _ in }) async throws {
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(service: ModelMaintenance(service: service, logger: logger)),
                    .init(service: application(running)),
                ],
                gracefulShutdownSignals: signals ? [.sigterm, .sigint] : [], logger: logger))
        do {
            try await group.run()
        } catch let error as IOError {
            await close()
            throw listening(error)
        } catch {
            await close()
            throw error
        }
        await close()
        logger.info("stopped")
    }

    private func close() async {
        await service.shutDown()
        do {
            try await service.gallery.close()
        } catch {
            logger.error("the gallery did not close", metadata: ["error": "\(error)"])
        }
    }

    private func listening(_ error: IOError) -> ServerError {
        let (host, port) = (configuration.host, configuration.port)
        return error.errnoCode == EADDRINUSE
            ? .addressInUse(host: host, port: port)
            : .cannotListen(host: host, port: port, reason: error.localizedDescription)
    }
}
