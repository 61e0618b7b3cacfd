import Gallery
import Hummingbird

/// GET `/v1/audit`: who has changed, erased and read what.
struct AuditEndpoint {
    let ledger: any ServerLedger

    func add(to router: Router<ServerContext>) {
        router.get("/v1/audit") { request, _ in
            let parameters = request.uri.queryParameters
            var filter = AuditFilter()
            filter.key = parameters["by"].map(String.init)
            filter.action = parameters["action"].map(String.init)
            filter.gallery = parameters["gallery"].map(String.init)
            return try Answer.json(await ledger.audit(filter, request.directedPage()))
        }
    }
}
