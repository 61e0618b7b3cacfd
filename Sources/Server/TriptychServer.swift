import Documents
import Foundation
import Gallery
import Hummingbird
import HummingbirdCore
import Inference
import Logging
import NIOCore
import ServiceLifecycle
import Serving
import Threads
import UnixSignals

/// The HTTP service: the one place where everything is put together, for the executable and for tests.
public struct TriptychServer: Sendable {
    /// The release.
    public static let version = Release.version

    private let configuration: ServerConfiguration
    private let live: LiveConfiguration
    private let serving: ServingStack
    /// nil for HTTP without TLS.
    private let certificate: ServerCertificate?
    private let observation: Observation
    private let connections: ConnectionPool
    private let limits: LimitsMiddleware
    private let page: MetricsPage
    private let keys: KeyRing
    private let authenticator: Authenticator
    private let reads: ReadTally
    /// Those that share the gallery.
    private let servers = Live(1)
    private let isDraining = Live(false)
    /// nil where there are no webhooks.
    private let caller: WebhookCaller?
    private let parsing: WorkerThreads
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
        let certificate = try ServerCertificate.read(configuration, logger)
        let observation = Observation(configuration, logger)
        let serving = try await ServingStack.around(
            encoder, gallery: gallery, configuration.serving, observer: observation.observer, logger: logger)
        try await self.init(configuration, certificate, serving, observation, logger)
    }

    /// Opens the gallery and loads the model that was active last, else the configuration's checkpoint, which becomes it.
    ///
    /// Throws `ServerError`, among others if the model that was active is gone, `CheckpointError`, or `GalleryError`.
    public static func opened(_ configuration: ServerConfiguration, logger: Logger) async throws -> TriptychServer {
        try configuration.validate()
        let certificate = try ServerCertificate.read(configuration, logger)
        let observation = Observation(configuration, logger)
        do {
            let serving = try await ServingStack.opened(
                configuration.serving, configuration.gallery, observer: observation.observer, logger: logger)
            return try await TriptychServer(configuration, certificate, serving, observation, logger)
        } catch let error where error is ModelError || error is StartError {
            throw ServerError.models("\(error)")
        }
    }

    private init(
        _ configuration: ServerConfiguration, _ certificate: ServerCertificate?, _ serving: ServingStack,
        _ observation: Observation, _ logger: Logger
    ) async throws {
        (self.configuration, self.certificate, self.serving) = (configuration, certificate, serving)
        (self.observation, self.logger) = (observation, logger)
        let signer = try configuration.webhooks.secretFile.map { try WebhookSigner(path: $0) }
        caller = signer.map { WebhookCaller(serving.gallery, configuration.webhooks, $0, logger) }
        live = LiveConfiguration(configuration)
        reads = ReadTally(serving.gallery.ledger, logger)
        keys = try await KeyRing(serving.gallery.ledger)
        authenticator = Authenticator(keys, configuration, logger)
        try configuration.requireKey(authenticator.isNeeded)
        parsing = WorkerThreads("parsing", count: configuration.threads.parsing)
        connections = ConnectionPool(most: configuration.limits.connections, refused: observation.refused)
        limits = LimitsMiddleware(live)
        page = MetricsPage(observation.metrics, serving, connections, limits, parsing)
    }

    /// The digest of the model that answers.
    public var model: String { serving.registry.active.model }

    /// The routes, as `METHOD /path/{parameter}`.
    package var routes: [String] { router().routes.map { "\($0.method) \($0.path)" } }

    private func router() -> Router<ServerContext> {
        let router = Router(context: ServerContext.self, options: [.autoGenerateHeadEndpoints])
        // Middleware comes before routes; the routes it reports on are those of a router without any.
        let plain = Router(context: ServerContext.self)
        addEndpoints(to: plain)
        let table = RouteTable(plain.routes.map { ($0.path.description, $0.method) })
        router.add(middleware: RequestIDMiddleware())
        router.add(middleware: DrainMiddleware(hasBegun: isDraining))
        observation.add(to: router)
        router.add(middleware: CompressionMiddleware(threads: parsing))
        router.add(middleware: CORSMiddleware(live: live, routes: table))
        router.add(middleware: ProblemMiddleware(routes: table, metrics: observation.metrics))
        router.add(middleware: OriginMiddleware(live: live))
        router.add(
            middleware: AccessMiddleware(
                authenticator: authenticator, rates: RateLimiter(live, servers: servers), reads: reads))
        router.add(middleware: limits)
        router.add(
            middleware: SequenceMiddleware(
                gallery: serving.gallery, patience: configuration.cluster.map { .seconds($0.sequenceSeconds) }))
        addEndpoints(to: router)
        return router
    }

    /// Each is given what it needs.
    private func addEndpoints(to router: Router<ServerContext>) {
        let (gallery, models, metrics) = (serving.gallery, serving.answering, observation.metrics)
        let bodies = BodyReader(limits: configuration.limits, threads: parsing)
        HealthEndpoints(gallery: gallery, models: models, page: page, isDraining: isDraining).add(to: router)
        ConsoleEndpoints().add(to: router)
        EmbeddingEndpoint(encoding: serving.encoding, models: models, bodies: bodies).add(to: router)
        ComparisonEndpoint(encoding: serving.encoding, models: models, bodies: bodies).add(to: router)
        GalleryEndpoints(gallery: gallery, bodies: bodies).add(to: router)
        QueryEndpoint(queries: serving.queries, bodies: bodies, metrics: metrics).add(to: router)
        IdentityEndpoints(gallery: gallery, bodies: bodies).add(to: router)
        CorrectionEndpoints(gallery: gallery, models: models, surveys: serving.surveys, bodies: bodies)
            .add(to: router)
        SightingEndpoints(
            gallery: gallery, enrolment: serving.enrolment, encoding: serving.encoding, bodies: bodies, metrics: metrics
        ).add(to: router)
        IdentificationEndpoints(
            identification: serving.identification, surveys: serving.surveys, models: models, gallery: gallery,
            bodies: bodies, metrics: metrics
        ).add(to: router)
        AnalysisEndpoints(surveys: serving.surveys, models: models, gallery: gallery, bodies: bodies).add(to: router)
        TransferEndpoints(gallery: gallery, models: models, imports: serving.imports, limits: configuration.limits)
            .add(to: router)
        ModelEndpoints(models: serving.models, limits: configuration.limits).add(to: router)
        UploadEndpoints(models: serving.models, bodies: bodies, limits: configuration.limits).add(to: router)
        JobEndpoints(jobs: serving.jobs, authenticator: authenticator).add(to: router)
        EventEndpoint(gallery: gallery, authenticator: authenticator, metrics: metrics).add(to: router)
        KeyEndpoints(keys: keys, bodies: bodies).add(to: router)
        WebhookEndpoints(gallery: gallery, bodies: bodies, configuration: configuration.webhooks).add(to: router)
        AuditEndpoint(ledger: gallery.ledger).add(to: router)
        ServerEndpoints(gallery: gallery).add(to: router)
    }

    /// Serves until the task is cancelled or, if `signals` says so, until SIGTERM or SIGINT; goes on for `drain_seconds`, or until a second
    /// signal, without being ready; then answers what is under way, for at most `shutdown_seconds`, and closes the gallery.
    ///
    /// - Parameters:
    ///   - signals: whether to end on signals.
    ///   - reloader: reads the configuration again when it is told to, if there is one.
    ///   - running: told the port once the server listens.
    /// - Throws: `ServerError.addressInUse` or `ServerError.cannotListen`.
    public func run(
        signals: Bool = true, reloader: ConfigurationReloader? = nil,
        running: @escaping @Sendable (Int) async -> Void = { _ in }
    ) async throws {
        authenticator.prepare()
        let ending: [UnixSignal] = signals ? [.sigterm, .sigint] : []
        let listener = HTTPListener(
            configuration, certificate, connections, ServerResponder(router: router().buildResponder()), logger,
            running: running)
        let reloading = Reloading(reloader: reloader, adopt: adopt)
        let drain = Drain(
            seconds: configuration.limits.drainSeconds, signals: ending, hasBegun: isDraining, logger: logger)
        let services: [(any ServiceLifecycle.Service)?] = [
            observation.exporter, Maintenance(serving: serving), reads, reloading, listener, caller, watch, drain,
        ]
        let group = ServiceGroup(
            configuration: .init(
                services: services.compactMap { $0.map { .init(service: $0) } }, gracefulShutdownSignals: ending,
                logger: logger))
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

    /// nil where no other server can change anything.
    private var watch: ClusterWatch? {
        configuration.cluster.map { _ in
            ClusterWatch(gallery: serving.gallery, keys: keys, servers: servers, logger: logger)
        }
    }

    /// Takes over what may change, and gives what is in force now. Throws `ServerError.configuration`.
    @Sendable package func adopt(_ other: ServerConfiguration) throws -> ServerConfiguration {
        try live.adopt(other)
        let configuration = live.configuration
        serving.adopt(configuration.serving)
        return configuration
    }

    private func close() async {
        do {
            try await serving.gallery.close()
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

/// What goes on beside the requests.
private struct Maintenance: ServiceLifecycle.Service {
    let serving: ServingStack

    func run() async throws { await cancelWhenGracefulShutdown { await serving.maintain() } }
}

/// Obeys SIGHUP; without a reloader, does nothing until the end.
private struct Reloading: ServiceLifecycle.Service {
    let reloader: ConfigurationReloader?
    let adopt: @Sendable (ServerConfiguration) throws -> ServerConfiguration

    func run() async throws {
        await reloader?.run(adopt)
        // The end of a service would be the server's.
        try? await gracefulShutdown()
    }
}
