/// A list, asked for a page at a time as it is looked at.
///
///     for try await identity in client.gallery("parking").identities() { … }
public struct Pages<Item: Decodable & Sendable>: AsyncSequence, Sendable {
    private let transport: Transport
    private let request: Request
    private let pageSize: Int

    init(_ transport: Transport, _ request: Request, pageSize: Int) {
        (self.transport, self.request, self.pageSize) = (transport, request, pageSize)
    }

    /// All items, in order. Throws `Problem` and `ClientError`; O(items) memory.
    public func all() async throws -> [Item] { try await reduce(into: []) { $0.append($1) } }

    private struct Page: Decodable, Sendable {
        let items: [Item]
        let next: String?
    }

    /// Throws `Problem` and `ClientError`.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let pages: Pages
        private var items: ArraySlice<Item> = []
        private var cursor: String?
        private var isLast = false

        fileprivate init(_ pages: Pages) { self.pages = pages }

        /// The next item; nil after the last.
        public mutating func next() async throws -> Item? {
            while items.isEmpty && !isLast {
                var request = pages.request
                request.query += [("limit", "\(pages.pageSize)"), ("cursor", cursor)]
                let page = try await pages.transport.ask(request, as: Page.self)
                (items, cursor, isLast) = (page.items[...], page.next, page.next == nil)
            }
            return items.popFirst()
        }
    }

    /// Begins with the first page.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}

/// What an answer has that is not split into pages.
struct Items<Item: Decodable & Sendable>: Decodable, Sendable {
    let items: [Item]
}
