import Gallery
import Hummingbird

extension Request {
    /// A query parameter that is one of a closed set of names. Throws `RequestError.invalid`.
    func choice<Value: RawRepresentable<String> & CaseIterable>(_ name: String) throws -> Value? {
        guard let text = uri.queryParameters[name[...]] else { return nil }
        guard let value = Value(rawValue: String(text)) else {
            throw RequestError.invalid(
                field: name, expected: "one of \(Value.allCases.map(\.rawValue).joined(separator: ", "))",
                found: "\"\(text)\"")
        }
        return value
    }

    /// `?sort=&order=&limit=&cursor=` of a list. Throws `RequestError` or `GalleryError.invalid`.
    ///
    /// - Parameter isDescending: which orders begin with the last one, unless the request says.
    func sortedPage<Order: ListOrder>(
        _ isDescending: (Order) -> Bool = { _ in false }
    ) throws -> SortedPageRequest<Order> {
        let (order, page): (Order, (limit: Int, cursor: String?)) = (try choice("sort") ?? .created, try page())
        let direction: Direction? = try choice("order")
        return try SortedPageRequest(
            order, isDescending: direction.map { $0 == .desc } ?? isDescending(order), limit: page.limit,
            after: page.cursor)
    }

    /// `?order=&limit=&cursor=` of a list that begins with the first one unless the request says. Throws `RequestError` or
    /// `GalleryError.invalid`.
    func directedPage() throws -> PageRequest {
        let (page, direction): ((limit: Int, cursor: String?), Direction?) = (try page(), try choice("order"))
        return try PageRequest(limit: page.limit, after: page.cursor, isDescending: direction == .desc)
    }

    private enum Direction: String, CaseIterable {
        case asc, desc
    }

    /// `?label=&label_prefix=&labelled=`.
    func identityFilter() throws -> IdentityListFilter {
        var filter = IdentityListFilter()
        filter.label = uri.queryParameters["label"].map(String.init)
        filter.labelPrefix = uri.queryParameters["label_prefix"].map(String.init)
        filter.isLabelled = uri.queryParameters.has("labelled") ? try flag("labelled") : nil
        return filter
    }

    /// `?camera=&captured_after=&captured_before=`, and those of the identities.
    func sightingFilter() throws -> SightingListFilter {
        var filter = SightingListFilter()
        filter.camera = uri.queryParameters["camera"].map(String.init)
        filter.capturedAfter = try date("captured_after")
        filter.capturedBefore = try date("captured_before")
        filter.identities = try identityFilter()
        return filter
    }
}
