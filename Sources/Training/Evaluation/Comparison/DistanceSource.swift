/// Gives how far queries are from every item of a gallery, a query at a time: all of a large data set would not fit the memory.
public protocol DistanceSource {
    /// Queries, and items of the gallery.
    var size: (queries: Int, gallery: Int) { get }

    /// Calls `body` once for each query, in any order, with its distances: smaller is nearer, infinite is nothing to compare.
    func visit(_ body: (_ query: Int, _ distances: [Double]) throws -> Void) rethrows
}

/// Distances as they are given.
public struct GivenDistances: DistanceSource, Sendable {
    private let rows: [[Double]]

    /// - Parameter rows: one a query, equally long.
    public init(_ rows: [[Double]]) { self.rows = rows }

    /// Of the rows.
    public var size: (queries: Int, gallery: Int) { (rows.count, rows.first?.count ?? 0) }

    /// In order.
    public func visit(_ body: (_ query: Int, _ distances: [Double]) throws -> Void) rethrows {
        for (query, row) in rows.enumerated() { try body(query, row) }
    }
}
