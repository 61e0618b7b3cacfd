import Documents
import Foundation
import Inference

/// The queries of a batch, from multipart or JSON.
struct BatchBody {
    /// The most queries.
    static let most = 64

    struct Item {
        var images: [Modality: Data] = [:]
        /// What else is said of this one.
        var fields: Fields
    }

    /// In the order of their numbers, from 0.
    private(set) var items: [Item] = []
    /// What else was sent, for all of them.
    var options: Fields = .empty

    /// Reads a body: parts `0.rgb`, `0.nir` …, and `options`; or JSON `{"queries": [{"images": …}, …], …}`. O(body).
    ///
    /// Throws `DocumentError`, or `RequestError.unsupportedMediaType`.
    init(_ body: Data, contentType: String) throws {
        switch try BodyForm(contentType) {
        case .form:
            let most = Self.most * Modality.allCases.count + 1
            try read(MultipartParser(contentType: contentType, mostParts: most).parts(of: body))
        case .json: try read(json: body)
        }
        guard (1...Self.most).contains(items.count) else {
            throw DocumentError.invalid(
                field: "queries", expected: "1 to \(Self.most) queries", found: "\(items.count)")
        }
    }

    private mutating func read(_ parts: [MultipartParser.Part]) throws(DocumentError) {
        var groups: [Int: [Modality: Data]] = [:]
        var hasOptions = false
        for part in parts {
            if part.name == "options" {
                try Self.once(part.name, isNew: !hasOptions)
                hasOptions = true
                options = try Fields(document: part.bytes, path: part.name)
                continue
            }
            guard let (number, modality) = Self.place(part.name) else {
                throw .unknownField(
                    String(part.name.prefix(64)), expected: ["0.rgb", "0.nir", "0.tir", "1.rgb", "options"])
            }
            try Self.once(part.name, isNew: groups[number]?[modality] == nil)
            groups[number, default: [:]][modality] = part.bytes
        }
        for number in 0..<groups.count {
            guard let images = groups[number] else {
                throw .invalid(
                    field: "\(number).rgb", expected: "queries numbered from 0 without a gap", found: "nothing")
            }
            items.append(Item(images: images, fields: .empty))
        }
    }

    private static func once(_ name: String, isNew: Bool) throws(DocumentError) {
        if isNew { return }
        throw .invalid(field: name, expected: "one part of that name", found: "two")
    }

    private static func place(_ name: String) -> (Int, Modality)? {
        let halves = name.split(separator: ".", maxSplits: 1)
        guard halves.count == 2, let number = Int(halves[0]), (0..<most).contains(number), "\(number)" == halves[0],
            let modality = Modality(rawValue: String(halves[1]))
        else { return nil }
        return (number, modality)
    }

    private mutating func read(json body: Data) throws(DocumentError) {
        var reader = JSONReader(body, limits: .batch)
        var others: [String: JSONValue] = [:]
        var items: [Item] = []
        try reader.object("") { key, reader throws(DocumentError) in
            guard key == "queries" else {
                others[key] = try reader.value()
                return
            }
            try reader.array(key) { place, reader throws(DocumentError) in
                guard place < Self.most else {
                    throw .invalid(field: key, expected: "1 to \(Self.most) queries", found: "more")
                }
                items.append(try Self.item(&reader, "\(key).\(place)"))
            }
        }
        try reader.end()
        (self.items, options) = (items, Fields(members: others))
    }

    private static func item(_ reader: inout JSONReader, _ path: String) throws(DocumentError) -> Item {
        var images: [String: Data] = [:]
        var others: [String: JSONValue] = [:]
        try reader.object(path) { key, reader throws(DocumentError) in
            if key == "images" {
                try TripleBody.read(&reader, "\(path).images", group: "", into: &images)
            } else {
                others[key] = try reader.value()
            }
        }
        let triple = TripleBody.names("").compactMap { name, modality in images[name].map { (modality, $0) } }
        return Item(
            images: Dictionary(uniqueKeysWithValues: triple), fields: Fields(members: others, path: path))
    }
}
