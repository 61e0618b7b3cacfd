import Gallery
import HTTPTypes

/// Which role may do which operation. What is not in it takes an admin of the whole server.
enum AccessTable {
    /// What anyone may ask.
    static let open: Set = [
        "GET /healthz", "GET /readyz", "GET /openapi.yaml", "GET /", "GET /console", "GET /console/{file}",
    ]

    /// By `METHOD /path/{parameter}`.
    static let permissions: [String: Permission] = {
        var table: [String: Permission] = [:]
        for (role, scope, operations) in rows {
            for operation in operations { table[operation] = Permission(role: role, scope: scope) }
        }
        return table
    }()

    private static let rows: [(AccessRole, Permission.Scope, [String])] = [
        (
            .read, .any,
            [
                "GET /v1/access", "POST /v1/embeddings", "POST /v1/comparisons", "GET /v1/galleries", "GET /v1/models",
                "GET /v1/models/{model}", "GET /v1/jobs", "GET /v1/jobs/{job}", "GET /v1/jobs/{job}/events",
                "GET /v1/events", "POST /v1/queries",
            ]
        ),
        (
            .read, .gallery,
            paths(
                [
                    "GET ", "GET /export", "GET /sightings", "GET /thresholds", "POST /queries", "POST /queries/batch",
                    "GET /corrections", "GET /evaluations/latest", "GET /maps/latest", "GET /facets",
                ])
                + paths(
                    [
                        "GET ", "GET /{identity}", "GET /{identity}/similar", "GET /{identity}/distinctions",
                        "GET /{identity}/sightings",
                        "GET /{identity}/sightings/{sighting}",
                        "GET /{identity}/sightings/{sighting}/images/{modality}",
                    ], below: "/identities")
        ),
        (.read, .server, ["GET /metrics"]),
        (.enrol, .any, ["DELETE /v1/jobs/{job}"]),
        (
            .enrol, .gallery,
            paths([
                "POST /imports", "POST /sightings", "POST /groupings", "POST /evaluations", "POST /maps",
                "POST /corrections/{correction}/undo",
            ])
                + paths(
                    [
                        "POST ", "PATCH /{identity}", "POST /{identity}/rename", "POST /{identity}/merge",
                        "POST /{identity}/split", "POST /{identity}/distinguish", "POST /{identity}/sightings",
                        "PATCH /{identity}/sightings/{sighting}", "POST /{identity}/sightings/{sighting}/move",
                    ], below: "/identities")
        ),
        (.admin, .any, ["POST /v1/galleries"]),
        (
            .admin, .gallery,
            paths([
                "PATCH ", "DELETE ", "POST /erasures", "PUT /thresholds", "POST /calibrations",
                "DELETE /identities/{identity}", "DELETE /identities/{identity}/sightings/{sighting}",
            ])
        ),
        (
            .admin, .server,
            [
                "POST /v1/models", "GET /v1/models/uploads", "POST /v1/models/uploads",
                "GET /v1/models/uploads/{upload}", "PATCH /v1/models/uploads/{upload}",
                "DELETE /v1/models/uploads/{upload}", "DELETE /v1/models/{model}", "POST /v1/models/{model}/activation",
                "GET /v1/servers", "GET /v1/keys",
                "POST /v1/keys", "GET /v1/keys/{key}", "DELETE /v1/keys/{key}", "GET /v1/audit", "GET /v1/webhooks",
                "POST /v1/webhooks", "GET /v1/webhooks/{webhook}", "DELETE /v1/webhooks/{webhook}",
                "POST /v1/webhooks/{webhook}/revive",
            ]
        ),
    ]

    private static func paths(_ operations: [String], below path: String = "") -> [String] {
        operations.map { operation in
            let parts = operation.split(separator: " ", omittingEmptySubsequences: false)
            return "\(parts[0]) /v1/galleries/{gallery}\(path)\(parts[1])"
        }
    }

    /// What it takes to do an operation; nil for nothing.
    static func permission(_ method: HTTPRequest.Method, _ path: String) -> Permission? {
        let operation = "\(method == .head ? "GET" : method.rawValue) \(path)"
        return open.contains(operation) ? nil : permissions[operation] ?? Permission(role: .admin, scope: .server)
    }

    /// What somebody may do, by `METHOD /path/{parameter}`, sorted; where it names a gallery, in those that they may do anything in.
    static func operations(of principal: Principal) -> [String] {
        permissions.filter { principal.role >= $1.role && ($1.scope != .server || principal.sees(nil)) }.keys.sorted()
    }
}
