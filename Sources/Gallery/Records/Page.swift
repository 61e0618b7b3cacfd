import Foundation

/// A part of a list.
public struct Page<Item: Sendable>: Sendable {
    /// In the list's order: that of creation, unless it says otherwise.
    public let items: [Item]
    /// Where to go on; nil at the end.
    public let next: String?

    /// A part as given.
    public init(items: [Item], next: String?) { (self.items, self.next) = (items, next) }

    /// The first rows of which one more than asked for was fetched, if there are as many.
    init(_ rows: [(key: Int64, item: Item)], _ request: PageRequest) {
        let limit = request.limit
        items = rows.prefix(limit).map(\.item)
        next = rows.count > limit ? Cursor(key: rows[limit - 1].key).text : nil
    }
}

/// Which part of a list: how many items at most, and after which place.
public struct PageRequest: Sendable, Equatable {
    /// The first 50 items.
    public static let first = PageRequest()

    let limit: Int
    let start: Int64
    let isDescending: Bool

    private init() { (limit, start, isDescending) = (50, 0, false) }

    /// A part of 1–1000 items, from the beginning or after a `next` that the list has given. Throws `GalleryError.invalid`.
    ///
    /// - Parameter isDescending: whether the list begins with the last one; of lists that can be read so.
    public init(limit: Int, after cursor: String? = nil, isDescending: Bool = false) throws {
        try Validation.limit(limit)
        start = cursor == nil && isDescending ? .max : try Cursor(cursor).key
        (self.limit, self.isDescending) = (limit, isDescending)
    }
}

extension Page: Encodable where Item: Encodable {
    private enum CodingKeys: String, CodingKey {
        case items, next
    }

    /// Encodes `next` as null at the end, rather than leaving it out.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(items, forKey: .items)
        try container.encode(next, forKey: .next)
    }
}

/// A place in a list: the last row given. Opaque to clients, who must not build on row numbers.
struct Cursor: Equatable {
    let key: Int64

    init(key: Int64) {
        self.key = key
    }

    /// Throws `GalleryError.invalid` for a text that no list has given. nil is the place before the first row.
    init(_ text: String?) throws {
        guard let text else {
            key = 0
            return
        }
        guard let data = Data(base64Encoded: text), let plain = String(data: data, encoding: .utf8),
            plain.hasPrefix("after:"), let key = Int64(plain.dropFirst(6)), key > 0
        else { throw GalleryError.invalid(field: "cursor", expected: "one that a list has given", found: text) }
        self.key = key
    }

    /// Safe in a URL: 27 bytes need no padding in base64, and these never make a '+' or a '/'.
    var text: String {
        let digits = String(key)
        let zeros = String(repeating: "0", count: 21 - digits.count)
        return Data("after:\(zeros)\(digits)".utf8).base64EncodedString()
    }
}
