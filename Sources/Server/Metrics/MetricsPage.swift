import Foundation
import Gallery
import Serving
import Threads

/// What `/metrics` says: what was counted, and what stands at this moment, which is asked for at each scrape.
struct MetricsPage: Sendable {
    private static let help = [
        "triptych_build_info": "1, for the release.",
        "triptych_model_info": "1 for the active model.",
        "triptych_database_up": "Whether the database could be read.",
        "triptych_sightings": "Sightings in all galleries.",
        "triptych_gallery_sightings": "Sightings of the largest galleries, with those that are being erased.",
        "triptych_gallery_identities": "Identities of the largest galleries, with those that are being erased.",
        "triptych_queue_waiting": "Triples, images, bodies or searches that wait for their turn.",
        "triptych_queue_running": "Images, bodies or searches at work.",
        "triptych_webhooks": "Webhooks, by whether they are called, fail, or were given up.",
        "triptych_webhook_events_behind":
            "Events since the last that the slowest webhook has taken, for it or not; without dead ones.",
        "triptych_jobs": "Jobs that have not ended.",
        "triptych_job_steps_done": "Steps that the running job has done.",
        "triptych_job_steps": "Steps of the running job.",
        "triptych_bytes_in_flight": "Bytes of bodies and answers that are held for requests under way.",
        "triptych_connections": "Connections, with those that are idle.",
        "triptych_connections_idle": "Connections without a request under way.",
        "triptych_erasure_pending": "1 while bytes of what was erased are left.",
        "triptych_erasure_failing": "1 if the last try to delete them failed.",
        "triptych_database_bytes": "The database's file.",
        "triptych_database_log_bytes": "The database's write-ahead log.",
        "triptych_disk_free_bytes": "What the database's file system has left.",
        "triptych_sequence": "The last transaction that the index holds.",
        "triptych_sequence_behind": "Transactions that the index has still to follow.",
        "triptych_following_age_seconds": "Since the index was known to hold all that was committed.",
        "triptych_leader": "1 while this server does what one does for all.",
        "triptych_servers": "Servers that share the database, by whether they are there.",
    ]
    /// Galleries that have labels of their own.
    private static let mostGalleries = 100

    private let metrics: ServerMetrics
    private let serving: ServingStack
    private let connections: ConnectionPool
    private let limits: LimitsMiddleware
    private let parsing: WorkerThreads
    /// For reading files, away from the cooperative pool and from work that others wait for.
    private let files = WorkerThreads("metrics", count: 1)

    init(
        _ metrics: ServerMetrics, _ serving: ServingStack, _ connections: ConnectionPool, _ limits: LimitsMiddleware,
        _ parsing: WorkerThreads
    ) {
        (self.metrics, self.serving, self.parsing) = (metrics, serving, parsing)
        (self.connections, self.limits) = (connections, limits)
    }

    /// In Prometheus's text format. Throws `CancellationError`.
    func text() async throws -> String {
        let now = PrometheusRegistry(help: Self.help.merging(ProcessStatistics.help) { $1 })
        now.set("triptych_build_info", [("version", TriptychServer.version)], to: 1)
        try await addGalleries(to: now)
        addQueues(to: now)
        await addJobs(to: now)
        let open = connections.load
        now.set("triptych_connections", to: Double(open.all))
        now.set("triptych_connections_idle", to: Double(open.idle))
        now.set("triptych_bytes_in_flight", to: Double(limits.bytesInFlight))
        let (storage, statistics) = try await files.run { [gallery = serving.gallery] in
            (gallery.storage, ProcessStatistics.read())
        }
        now.set("triptych_database_bytes", to: Double(storage.database))
        now.set("triptych_database_log_bytes", to: Double(storage.log))
        if let free = storage.free { now.set("triptych_disk_free_bytes", to: Double(free)) }
        statistics?.add(to: now)
        return metrics.exposition + now.exposition
    }

    /// What is broken there must not keep the rest from being told.
    private func addGalleries(to now: PrometheusRegistry) async throws {
        let (gallery, active) = (serving.gallery, serving.registry.active.model)
        let erasure = gallery.erasure
        now.set("triptych_erasure_pending", to: erasure.isComplete ? 0 : 1)
        now.set("triptych_erasure_failing", to: erasure.failure == nil ? 0 : 1)
        do {
            now.set("triptych_sightings", to: Double(try await gallery.sightingCount()))
            for model in try await gallery.models() { now.set("triptych_model_info", [("model", model.model)], to: 0) }
            for tally in try await gallery.largestGalleries(Self.mostGalleries) {
                now.set("triptych_gallery_sightings", [("gallery", tally.gallery)], to: Double(tally.sightings))
                now.set("triptych_gallery_identities", [("gallery", tally.gallery)], to: Double(tally.identities))
            }
            try await addWebhooks(to: now)
            try await addServers(to: now)
            now.set("triptych_database_up", to: 1)
        } catch is GalleryError {
            now.set("triptych_database_up", to: 0)
        }
        now.set("triptych_model_info", [("model", active)], to: 1)
    }

    private func addWebhooks(to now: PrometheusRegistry) async throws {
        let webhooks = try await serving.gallery.ledger.webhooks()
        let last = serving.gallery.lastEvent
        for state in Webhook.State.allCases {
            now.set("triptych_webhooks", [("state", state.rawValue)], to: Double(webhooks.count { $0.state == state }))
        }
        let behind = webhooks.filter { $0.state != .dead }.map { last - $0.position }.max() ?? 0
        now.set("triptych_webhook_events_behind", to: Double(max(behind, 0)))
    }

    private func addServers(to now: PrometheusRegistry) async throws {
        let (gallery, following) = (serving.gallery, serving.gallery.following)
        now.set("triptych_sequence", to: Double(following.sequence))
        now.set("triptych_sequence_behind", to: Double(following.lag))
        if let age = following.age { now.set("triptych_following_age_seconds", to: age.seconds) }
        now.set("triptych_leader", to: gallery.isLeader ? 1 : 0)
        let members = try await gallery.members()
        for isLive in [true, false] where !members.isEmpty {
            let count = members.count { $0.isLive == isLive }
            now.set("triptych_servers", [("live", "\(isLive)")], to: Double(count))
        }
    }

    private func addQueues(to now: PrometheusRegistry) {
        now.set("triptych_queue_waiting", [("queue", "encoder")], to: Double(serving.registry.active.waiting))
        let loads = [
            ("decoding", serving.encoding.load), ("parsing", parsing.load), ("search", serving.gallery.searchLoad),
        ]
        for (queue, load) in loads {
            now.set("triptych_queue_waiting", [("queue", queue)], to: Double(load.waiting))
            now.set("triptych_queue_running", [("queue", queue)], to: Double(load.running))
        }
    }

    private func addJobs(to now: PrometheusRegistry) async {
        for jobClass in JobClass.allCases {
            for state in ["waiting", "running"] {
                now.set("triptych_jobs", [("class", jobClass.rawValue), ("state", state)], to: 0)
            }
        }
        for (kind, job) in await serving.jobs.unfinished {
            let state = job.isWaiting ? "waiting" : "running"
            now.add("triptych_jobs", [("class", kind.jobClass.rawValue), ("state", state)], 1)
            if job.isWaiting { continue }
            now.set("triptych_job_steps_done", [("kind", kind.rawValue)], to: Double(job.record.done))
            now.set("triptych_job_steps", [("kind", kind.rawValue)], to: Double(job.record.total))
        }
    }
}
