import Documents
import Foundation
import Gallery
import Serving

/// What a server is told at its start: where things are, and every limit. `docs/threat-model.md` says what each protects.
public struct ServerConfiguration: Sendable, Equatable {
    /// The model that answers.
    public var checkpoint = ""
    /// The gallery's SQLite file, made if it does not exist, or the `postgresql://` address of a database.
    public var database = "gallery.sqlite"
    /// How it shares its gallery with other servers; absent, it has it alone.
    public var cluster: Cluster?
    /// Where the gallery's vectors are searched: in memory, or in PostgreSQL by pgvector.
    public var index = IndexPlacement.memory
    /// The address to listen on.
    public var host = "127.0.0.1"
    /// The port to listen on; 0 takes any that is free.
    public var port = 8080
    /// Names that clients know this server by, besides `localhost`, `host` and any address.
    public var hosts: [String] = []
    /// TLS; absent, HTTP without it.
    public var tls: TLS?
    /// The origins whose pages may use the API in browsers, such as `https://example.org`.
    public var origins: [String] = []
    /// Whether to listen beyond loopback even if no key was ever made.
    public var allowsUnauthenticated = false
    /// What the process may have in memory, for models and galleries together.
    public var memoryBytes: Int?
    /// Whether the images of sightings are kept, so that another model can embed them again.
    public var keepsImages = true
    /// What whoever wrote the file should know, such as keys that have no effect any more.
    public private(set) var warnings: [String] = []
    /// 16-bit thermal values that become 0 and 255 with models that do not say, as two numbers; absent, each image's own
    /// percentiles.
    public var thermalRange: [Int]?
    /// Whether a JPEG that is much larger than the model's input is decoded at a half, a quarter or an eighth of its size:
    /// faster, but its embedding is not exactly that of the whole image.
    public var scalesDecoding = false
    /// The folder of models that may be activated; absent, one beside the database's file.
    public var models: String?
    /// How models are exchanged.
    public var swap = ServingConfiguration.Swap()
    /// Which triples are encoded together.
    public var batching = ServingConfiguration.Batching()
    /// What an image must be for a passage to make an identity.
    public var quality = ServingConfiguration.Quality()
    /// How float32 weights are multiplied.
    public var precision = ServingConfiguration.Precision.float32
    /// What a model may be.
    public var modelLimits = ServingConfiguration.ModelLimits()
    /// How long jobs, events and the audit log are kept.
    public var retention = ServingConfiguration.Retention()
    /// How webhooks are called.
    public var webhooks = Webhooks()
    /// The OpenID provider whose tokens count beside keys; absent, keys alone do.
    public var openID: OpenID?
    /// How many threads do what.
    public var threads = Threads()
    /// What is logged, and how.
    public var log = Log()
    /// Where spans go; absent, nowhere.
    public var tracing: Tracing?
    /// Every limit.
    public var limits = Limits()

    /// How many threads do what, besides those of the encoder; the defaults grow with the cores, within bounds.
    public struct Threads: Sendable, Equatable {
        /// Images that are decoded at the same time.
        public var decoding = ServingConfiguration.Encoding().decodingThreads
        /// Bodies that are parsed at the same time.
        public var parsing = min(max(ProcessInfo.processInfo.activeProcessorCount / 2, 1), 8)
        /// Searches at the same time; absent, half the cores.
        public var search: Int?
        /// Connections that read the database at the same time; absent, as many as the gallery thinks fit.
        public var readers: Int?
    }

    /// Limits, each answered with its own status.
    public struct Limits: Sendable, Equatable {
        /// Bytes of a request's body: 413.
        public var bodyBytes = 64 << 20
        /// Bytes of the body of a batch of queries: 413.
        public var batchBytes = 256 << 20
        /// Bytes of one image's file: 422.
        public var imageBytes = 20 << 20
        /// Pixels of one image: 422.
        public var imagePixels = 40_000_000
        /// Seconds for decoding one image: 422.
        public var decodeSeconds = 10
        /// Bytes of the target and all header fields: 431.
        public var headerBytes = 32 << 10
        /// Header fields: 431.
        let headerFields = 100
        /// Parts of a multipart body: 400.
        public var parts = 16
        /// Requests under way, until their answers have been written: 503.
        public var requestsInFlight = 64
        /// Bytes that their bodies and answers hold, as they are counted in memory: 503.
        public var bytesInFlight = 512 << 20
        /// Checkpoints and imports that are uploaded at the same time: 503.
        public var uploads = 2
        /// Jobs that are followed at the same time: 503.
        public var eventStreams = 32
        /// Requests a minute with one key, unless the key says something else: 429. Absent, as many as it likes.
        public var requestsPerMinute: Int?
        /// Open connections; for one more, the one is closed that has been idle longest.
        public var connections = 512
        /// Seconds for receiving a body: 408.
        public var bodySeconds = 30
        /// Bytes a second of bodies and answers at the least: 408, or the connection is closed.
        public var leastBytesPerSecond = 4096
        /// Seconds for which they may stand still, or fall below that rate.
        public var stallSeconds = 10
        /// Seconds for a triple to be encoded, waiting included: 503.
        public var requestSeconds = 120
        /// Bytes of a checkpoint that is uploaded: 413.
        public var checkpointBytes = 4 << 30
        /// Seconds for receiving a checkpoint: 408.
        public var checkpointSeconds = 600
        /// Bytes of what is imported at once: 413.
        public var importBytes = 16 << 30
        /// Seconds for receiving it: 408.
        public var importSeconds = 7200
        /// Seconds for a TLS handshake; then the connection is closed.
        public var handshakeSeconds = 10
        /// Seconds after which an idle connection is closed.
        public var idleSeconds = 60
        /// Seconds for which a server that is to end goes on without being ready.
        public var drainSeconds = 0
        /// Seconds for what is under way to be answered after that; then it is cut off.
        public var shutdownSeconds = 120
    }

    /// The defaults.
    public init() {}
}

extension ServerConfiguration {
    /// Reads a YAML file. Throws `ServerError.configuration`.
    public init(path: String) throws { self = try ConfigurationSources(file: path).read().configuration }

    /// Reads a document; unknown keys and values out of range throw `DocumentError`, naming the key.
    init(_ fields: inout Fields) throws {
        try fields.read("checkpoint", .string, into: &checkpoint)
        try fields.read("database", .string, into: &database)
        cluster = try Cluster(&fields)
        var section = try fields.section("gallery")
        try section.read("index", .choice, into: &index)
        try section.finish()
        try fields.read("host", .string, into: &host)
        try fields.read("port", .integer(0...65535), into: &port)
        try fields.read("hosts", .strings, into: &hosts)
        tls = try TLS(&fields)
        try readOrigins(&fields)
        try fields.read("allow_unauthenticated", .bool, into: &allowsUnauthenticated)
        try fields.read("keep_images", .bool, into: &keepsImages)
        if try fields.bool("embed_subsets") != nil {
            warnings.append(
                "embed_subsets has no effect any more: a vector a modality is all that any comparison needs")
        }
        try fields.read("thermal_range", .integers(0...65535), into: &thermalRange)
        if let range = thermalRange, range.count != 2 || range[0] >= range[1] {
            throw fields.invalid("thermal_range", "two rising numbers", range.documentValue)
        }
        try fields.read("scale_decoding", .bool, into: &scalesDecoding)
        try fields.read("models", .string, into: &models)
        try fields.read("memory_bytes", .integer(1...1 << 50), into: &memoryBytes)
        section = try fields.section("quality")
        try section.read("min_side", .integer(0...65535), into: &quality.side)
        try section.read("min_sharpness", .number(0...1_000_000), into: &quality.sharpness)
        try section.read("min_contrast", .number(0...255), into: &quality.contrast)
        try section.finish()
        section = try fields.section("swap")
        try section.read("share", .number(0.01...1), into: &swap.share)
        try section.read("cross_agreement", .number(0...1), into: &swap.cross.agreement)
        try section.read("cross_map_loss", .number(0...1), into: &swap.cross.mAPLoss)
        if let cosine = try section.number("compatible_cosine", 0...1) {
            throw section.invalid(
                "compatible_cosine", "swap.cross_agreement and swap.cross_map_loss in its place", .number(cosine))
        }
        if let bytes = try section.integer("memory_bytes", 1...1 << 50) {
            memoryBytes = memoryBytes ?? bytes
            warnings.append("swap.memory_bytes is memory_bytes now: one budget for models and galleries")
        }
        try section.finish()
        section = try fields.section("batching")
        try section.read("most", .integer(1...64), into: &batching.most)
        try section.read("wait_milliseconds", .integer(0...1000), into: &batching.waitMilliseconds)
        try section.finish()
        try fields.read("precision", .choice, into: &precision)
        section = try fields.section("model_limits")
        let most = 1 << 60
        try section.read("multiply_adds", .integer(1...most), into: &modelLimits.multiplyAdds)
        try section.read("seconds", .integer(1...86_400), into: &modelLimits.seconds)
        try section.finish()
        section = try fields.section("jobs")
        try section.read("retention_days", .integer(0...36_500), into: &retention.jobs)
        try section.finish()
        section = try fields.section("events")
        try section.read("retention_days", .integer(1...3650), into: &retention.events)
        try section.finish()
        section = try fields.section("audit")
        try section.read("retention_days", .integer(1...36_500), into: &retention.audit)
        try section.finish()
        try webhooks.read(&fields)
        openID = try OpenID(&fields)
        section = try fields.section("threads")
        try section.read("decoding", .integer(1...64), into: &threads.decoding)
        try section.read("parsing", .integer(1...64), into: &threads.parsing)
        try section.read("search", .integer(1...64), into: &threads.search)
        try section.read("readers", .integer(1...64), into: &threads.readers)
        try section.finish()
        try log.read(&fields)
        tracing = try Tracing(&fields)
        try limits.read(&fields)
        try fields.finish()
    }

    /// The folder of models.
    public var modelsFolder: String { models ?? database + "-models" }

    /// Whether the database is a server's, and not a file.
    var isElsewhere: Bool { GalleryStore.isAddress(database) }

    /// What of it is not HTTP's.
    var serving: ServingConfiguration {
        var serving = ServingConfiguration()
        (serving.checkpoint, serving.database, serving.modelsFolder) = (checkpoint, database, modelsFolder)
        (serving.keepsImages, serving.swap, serving.batching) = (keepsImages, swap, batching)
        (serving.memoryBytes, serving.quality) = (memoryBytes, quality)
        (serving.models, serving.retention) = (modelLimits, retention)
        serving.precision = precision
        serving.encoding.imageBytes = limits.imageBytes
        serving.encoding.imagePixels = limits.imagePixels
        serving.encoding.thermalRange = thermalRange.map { UInt16($0[0])...UInt16($0[1]) }
        serving.encoding.scalesDecoding = scalesDecoding
        serving.encoding.seconds = limits.requestSeconds
        serving.encoding.decodeSeconds = limits.decodeSeconds
        serving.encoding.decodingThreads = threads.decoding
        return serving
    }

    /// How the gallery is opened.
    var gallery: GalleryConfiguration {
        var gallery = GalleryConfiguration()
        (gallery.keepsImages, gallery.index) = (keepsImages, index)
        if let search = threads.search { gallery.searchThreads = search }
        if let readers = threads.readers { gallery.readers = readers }
        if let cluster { (gallery.sharing, gallery.serverName) = (true, cluster.name) }
        return gallery
    }

    /// Throws `ServerError.configuration` for an address that others reach while requests take neither a key nor a token.
    func requireKey(_ hasKeys: Bool) throws {
        let isLoopback = host == "localhost" || host == "::1" || host.hasPrefix("127.")
        guard isLoopback || allowsUnauthenticated || hasKeys || tls?.clientCA != nil else {
            throw ServerError.configuration(
                "host \(host) is reachable by others, and there is no key: make one with "
                    + "'triptych keys create --database \(database) --name admin --role admin', listen on a loopback "
                    + "address, take client certificates with tls.client_ca or tokens with openid, or set allow_unauthenticated: true behind a proxy that authenticates"
            )
        }
    }

    private func validateDatabase() throws(ServerError) {
        guard isElsewhere else {
            guard index == .memory else {
                throw .configuration(
                    "gallery.index: expected memory, as the database is a file, found \(index.rawValue)")
            }
            return
        }
        do { try GalleryStore.checkAddress(database) } catch { throw .configuration("\(error)") }
        guard models != nil else {
            throw .configuration(
                "models: expected a folder, as the database is no file beside which there could be one")
        }
    }

    /// Throws `ServerError.configuration` for limits that contradict each other.
    func validate() throws(ServerError) {
        try validateOrigins()
        try validateDatabase()
        try validateCluster()
        let busy = limits.requestsInFlight + limits.uploads + limits.eventStreams
        guard limits.connections > busy else {
            throw ServerError.configuration(
                "limits.connections: expected more than requests_in_flight, uploads and event_streams together (\(busy)), "
                    + "so that health checks are answered, found \(limits.connections)")
        }
    }
}

extension IndexPlacement: DocumentValue {
    package var documentValue: JSONValue { .string(rawValue) }
}

extension ServerConfiguration.Limits {
    /// The longest body that such a request may have.
    func bodyBytes(_ kind: RequestTarget.Kind) -> Int {
        switch kind {
        case .upload: checkpointBytes
        case .batch: batchBytes
        case .importing: importBytes
        case .request, .service, .stream: bodyBytes
        }
    }

    fileprivate mutating func read(_ fields: inout Fields) throws {
        var section = try fields.section("limits")
        let most = 1 << 40
        try section.read("body_bytes", .integer(1...most), into: &bodyBytes)
        try section.read("batch_bytes", .integer(1...most), into: &batchBytes)
        try section.read("image_bytes", .integer(1...most), into: &imageBytes)
        try section.read("image_pixels", .integer(1...1_000_000_000), into: &imagePixels)
        try section.read("decode_seconds", .integer(1...3600), into: &decodeSeconds)
        try section.read("header_bytes", .integer(1024...1 << 20), into: &headerBytes)
        try section.read("parts", .integer(1...1000), into: &parts)
        try section.read("requests_in_flight", .integer(1...100_000), into: &requestsInFlight)
        try section.read("bytes_in_flight", .integer(1...most), into: &bytesInFlight)
        try section.read("uploads", .integer(1...1000), into: &uploads)
        try section.read("event_streams", .integer(1...10_000), into: &eventStreams)
        try section.read("requests_per_minute", .integer(1...1_000_000), into: &requestsPerMinute)
        try section.read("connections", .integer(1...100_000), into: &connections)
        try section.read("body_seconds", .integer(1...3600), into: &bodySeconds)
        try section.read("least_bytes_per_second", .integer(1...most), into: &leastBytesPerSecond)
        try section.read("stall_seconds", .integer(1...3600), into: &stallSeconds)
        try section.read("request_seconds", .integer(1...3600), into: &requestSeconds)
        try section.read("checkpoint_bytes", .integer(1...most), into: &checkpointBytes)
        try section.read("checkpoint_seconds", .integer(1...86_400), into: &checkpointSeconds)
        try section.read("import_bytes", .integer(1...most), into: &importBytes)
        try section.read("import_seconds", .integer(1...86_400), into: &importSeconds)
        try section.read("handshake_seconds", .integer(1...3600), into: &handshakeSeconds)
        try section.read("idle_seconds", .integer(1...3600), into: &idleSeconds)
        try section.read("drain_seconds", .integer(0...3600), into: &drainSeconds)
        try section.read("shutdown_seconds", .integer(1...3600), into: &shutdownSeconds)
        try section.finish()
    }
}
