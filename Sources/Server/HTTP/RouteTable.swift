import Hummingbird

/// Which methods a path has, for 405 and its Allow header (RFC 9110, section 15.5.6).
struct RouteTable: Sendable {
    private let routes: [(segments: [String], method: HTTPRequest.Method)]

    /// From a router's routes, written as `/v1/galleries/{gallery}`.
    init(_ routes: [(path: String, method: HTTPRequest.Method)]) {
        self.routes = routes.map { (Self.segments($0.path), $0.method) }
    }

    /// The methods of a path, sorted; none if there is no such path.
    func methods(of path: String) -> [String] {
        let segments = Self.segments(path)
        let found = routes.filter { route in
            route.segments.count == segments.count
                && zip(route.segments, segments).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }
        var methods = Set(found.map(\.method.rawValue))
        if methods.contains("GET") { methods.insert("HEAD") }
        return methods.sorted()
    }

    private static func segments(_ path: String) -> [String] { path.split(separator: "/").map(String.init) }
}
