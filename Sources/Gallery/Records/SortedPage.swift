import Foundation

/// By what a list is sorted. What has no such value is not in the list.
public protocol ListOrder: RawRepresentable<String>, CaseIterable, Equatable, Sendable {
    /// By when they came.
    static var created: Self { get }
}

/// By what identities are sorted.
public enum IdentityOrder: String, ListOrder {
    /// When they were made.
    case created
    /// Their names, by UTF-8.
    case name
    /// Their labels, by UTF-8, equal ones by when they were made.
    case label
    /// When their last sighting was seen, or else enrolled.
    case lastSeen = "last_seen"
}

/// By what sightings are sorted.
public enum SightingOrder: String, ListOrder {
    /// When they were enrolled.
    case created
    /// When they were seen.
    case captured
}

/// Which part of a sorted list: how many items at most, and after which place.
public struct SortedPageRequest<Order: ListOrder>: Sendable {
    let order: Order
    let isDescending: Bool
    let limit: Int
    let start: SortedCursor?

    /// A part of 1–1000 items, from the beginning or after a `next` that a list of the same order has given. Throws
    /// `GalleryError.invalid`.
    public init(_ order: Order, isDescending: Bool = false, limit: Int = 50, after cursor: String? = nil) throws {
        try Validation.limit(limit)
        (self.order, self.isDescending, self.limit) = (order, isDescending, limit)
        start = try cursor.map { cursor in
            order == .created
                ? SortedCursor(value: .none, key: try Cursor(cursor).key)
                : try SortedCursor(cursor, list: order.rawValue)
        }
    }

    /// In the order in which they came.
    init(_ page: PageRequest) {
        (order, isDescending, limit) = (.created, false, page.limit)
        start = page.start > 0 ? SortedCursor(value: .none, key: page.start) : nil
    }

    /// The place of an item.
    func cursor(_ value: SortedCursor.Value, _ key: Int64) -> String {
        order == .created ? Cursor(key: key).text : SortedCursor(value: value, key: key).text(order.rawValue)
    }
}

/// A place in a sorted list: by what its last item stands there, and its row. Opaque to clients.
struct SortedCursor: Equatable, Sendable {
    /// What a list is sorted by.
    enum Value: Equatable, Sendable {
        case none
        case text(String)
        /// Milliseconds since 1970.
        case time(Int64)

        fileprivate var text: String {
            switch self {
            case .none: "-"
            case .text(let text): "t\(text)"
            case .time(let time): "n\(time)"
            }
        }

        fileprivate init?(_ text: Substring) {
            switch text.first {
            case "-" where text.count == 1: self = .none
            case "t": self = .text(String(text.dropFirst()))
            case "n":
                guard let time = Int64(text.dropFirst()) else { return nil }
                self = .time(time)
            default: return nil
            }
        }
    }

    let value: Value
    let key: Int64

    init(value: Value, key: Int64) { (self.value, self.key) = (value, key) }

    /// Throws `GalleryError.invalid` for a text that no list of this order has given.
    init(_ text: String, list: String) throws {
        let padded = text.replacing("-", with: "+").replacing("_", with: "/")
            .padding(toLength: (text.utf8.count + 3) / 4 * 4, withPad: "=", startingAt: 0)
        guard let data = Data(base64Encoded: padded), let plain = String(data: data, encoding: .utf8),
            plain.hasPrefix("\(list) ")
        else { throw Self.stranger(text) }
        let parts = plain.dropFirst(list.count + 1).split(
            separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let key = Int64(parts[0]), key > 0, let value = Value(parts[1]) else {
            throw Self.stranger(text)
        }
        self.init(value: value, key: key)
    }

    private static func stranger(_ text: String) -> GalleryError {
        .invalid(
            field: "cursor", expected: "one that a list in this order has given", found: String(text.prefix(80)))
    }

    /// Of a list, in base64 for addresses, without padding (RFC 4648, section 5).
    func text(_ list: String) -> String {
        Data("\(list) \(key) \(value.text)".utf8).base64EncodedString().replacing("+", with: "-").replacing(
            "/", with: "_"
        )
        .replacing("=", with: "")
    }
}

/// Which identities of a gallery are listed; every condition given must hold.
public struct IdentityListFilter: Sendable, Equatable {
    /// Of exactly this label.
    public var label: String?
    /// Of a label that begins so.
    public var labelPrefix: String?
    /// Of a label, or of none.
    public var isLabelled: Bool?

    /// All of them.
    public init() {}
}

extension IdentityListFilter {
    func validate() throws {
        try Validation.label(label)
        if let labelPrefix { try Validation.text(labelPrefix, "label_prefix", limit: 256) }
    }
}

extension SightingListFilter {
    func validate() throws {
        if let camera { try Validation.text(camera, "camera", limit: 128) }
        try Validation.date(capturedAfter, "captured_after")
        try Validation.date(capturedBefore, "captured_before")
        try identities.validate()
    }
}
