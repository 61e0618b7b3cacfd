import Hummingbird

/// Which methods a path has, for 405 and its Allow header (RFC 9110, section 15.5.6).
struct RouteTable: Sendable {
    private let routes: [(segments: [Substring], method: HTTPRequest.Method)]

    /// From a router's routes, written as `/v1/galleries/{gallery}`.
    init(_ routes: [(path: String, method: HTTPRequest.Method)]) {
        self.routes = routes.map { ($0.path.split(separator: "/"), $0.method) }
    }

    /// The methods of a target, sorted; none if there is no such path.
    func methods(of target: RequestTarget) -> [String] {
        let found = routes.filter { route in
            route.segments.count == target.segments.count
                && zip(route.segments, target.segments).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }
        var methods = Set(found.map(\.method.rawValue))
        if methods.contains("GET") { methods.insert("HEAD") }
        return methods.sorted()
    }
}
