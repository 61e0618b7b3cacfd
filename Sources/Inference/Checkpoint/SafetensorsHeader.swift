import Documents

/// What a safetensors file says of itself before its data: tensors, and free text under `__metadata__`.
public struct SafetensorsHeader: Sendable, Equatable {
    /// One tensor's description.
    public struct Entry: Sendable, Equatable {
        /// The tensor's name.
        public let name: String
        /// The type of its elements.
        public let elementType: ElementType
        /// Its dimensions, outermost first; none for a scalar.
        public let dimensions: [Int]
        /// Its bytes, counted from the end of the header.
        public let range: Range<Int>

        /// Elements of the tensor.
        public var count: Int { range.count / elementType.size }
    }

    /// The longest header that is read. The format allows 100 MB; a model of 3,000 tensors takes half of one.
    public static let maximumLength = 16 << 20

    /// The key of the header that holds text instead of a tensor.
    static let metadataKey = "__metadata__"

    /// The free text.
    public let metadata: [String: String]
    /// The tensors, in the order of their bytes: each begins where the one before ends, the first at 0.
    public let entries: [Entry]

    /// Bytes of data that have to follow the header.
    public var dataLength: Int { entries.last?.range.upperBound ?? 0 }
}

extension SafetensorsHeader {
    /// Parses the header's JSON strictly: every key known, every tensor's range as long as its shape asks for, all
    /// ranges together without hole or overlap.
    ///
    /// Throws `CheckpointError.Reason`.
    init(parsing bytes: [UInt8]) throws {
        // The format wants the JSON to begin at once, so that a file's kind shows in its ninth byte.
        guard bytes.first == UInt8(ascii: "{") else {
            throw CheckpointError.Reason.notSafetensors("expected a header that begins with '{'")
        }
        let members = try Self.members(bytes)
        metadata = try Self.metadata(members[Self.metadataKey])
        entries = try members.filter { $0.key != Self.metadataKey }
            .map { name, value in try Entry(name: name, value) }
            .sorted { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
        var end = 0
        for entry in entries {
            guard entry.range.lowerBound == end else {
                throw CheckpointError.Reason.offset(tensor: entry.name, expected: end, found: entry.range.lowerBound)
            }
            end = entry.range.upperBound
        }
    }

    private static func members(_ bytes: [UInt8]) throws -> [String: JSONValue] {
        do {
            // It begins with '{', so it is an object or an error.
            return try JSONParser.parse(bytes).object ?? [:]
        } catch {
            throw CheckpointError.Reason.notSafetensors("\(error)")
        }
    }

    private static func metadata(_ value: JSONValue?) throws -> [String: String] {
        guard let value else { return [:] }
        guard let members = value.object else {
            throw CheckpointError.Reason.notSafetensors("expected an object as __metadata__, found \(value.summary)")
        }
        return try members.mapValues { value in
            guard let text = value.string else {
                throw CheckpointError.Reason.notSafetensors("expected strings in __metadata__, found \(value.summary)")
            }
            return text
        }
    }
}

extension SafetensorsHeader.Entry {
    /// The most dimensions that a tensor may have.
    private static let maximumRank = 8

    fileprivate init(name: String, _ value: JSONValue) throws {
        func refusal(expected: String, found: JSONValue?) -> CheckpointError.Reason {
            .entry(tensor: name, expected: expected, found: found?.summary ?? "nothing")
        }
        guard let members = value.object, Set(members.keys) == ["dtype", "shape", "data_offsets"] else {
            throw refusal(expected: "dtype, shape and data_offsets", found: value)
        }
        guard let elementType = members["dtype"]?.string.flatMap(ElementType.init(rawValue:)) else {
            let known = ElementType.allCases.map(\.rawValue).joined(separator: ", ")
            throw refusal(expected: "a dtype of \(known)", found: members["dtype"])
        }
        guard let dimensions = members["shape"]?.sizes, dimensions.count <= Self.maximumRank else {
            throw refusal(expected: "a shape of at most \(Self.maximumRank) sizes", found: members["shape"])
        }
        guard let offsets = members["data_offsets"]?.sizes, offsets.count == 2, offsets[0] <= offsets[1] else {
            throw refusal(expected: "data_offsets of a beginning and an end", found: members["data_offsets"])
        }
        guard let length = (dimensions + [elementType.size]).checkedProduct else {
            throw refusal(expected: "a shape whose size can be counted", found: members["shape"])
        }
        guard length == offsets[1] - offsets[0] else {
            throw CheckpointError.Reason.byteCount(tensor: name, expected: length, found: offsets[1] - offsets[0])
        }
        self.init(name: name, elementType: elementType, dimensions: dimensions, range: offsets[0]..<offsets[1])
    }
}

extension JSONValue {
    /// The elements, if this is an array of whole numbers from 0 on.
    var sizes: [Int]? {
        guard let array else { return nil }
        let sizes = array.compactMap { value in
            if case .integer(let size) = value, size >= 0 { size } else { nil }
        }
        return sizes.count == array.count ? sizes : nil
    }
}

extension [Int] {
    /// The product, or nil if it does not fit an `Int`.
    var checkedProduct: Int? {
        var product = 1
        for factor in self {
            let (result, overflow) = product.multipliedReportingOverflow(by: factor)
            if overflow { return nil }
            product = result
        }
        return product
    }
}

/// The element types of a safetensors file that this program knows, under the format's names.
public enum ElementType: String, CaseIterable, Sendable {
    case float64 = "F64"
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case int64 = "I64"
    case int8 = "I8"
    case uint8 = "U8"

    /// Bytes of one element.
    public var size: Int {
        switch self {
        case .float64, .int64: 8
        case .float32: 4
        case .float16, .bfloat16: 2
        case .int8, .uint8: 1
        }
    }

    /// Whether elements become `Float`s when a tensor is read.
    public var isFloatingPoint: Bool {
        switch self {
        case .float64, .float32, .float16, .bfloat16: true
        case .int64, .int8, .uint8: false
        }
    }
}
