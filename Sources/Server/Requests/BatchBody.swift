import Documents
import Foundation
import Inference
import Serving

/// The triples of a batch or a passage, from multipart or JSON.
struct BatchBody {
    /// What a body has several of.
    struct Shape: Sendable {
        /// In JSON, the array's name.
        let list: String
        /// How many at most.
        let most: Int
        /// Whether a lone one may come without a number or an array.
        var hasLone = false
        /// What a JSON body may hold.
        var limits = JSONLimits.batch

        /// Queries.
        static let queries = Shape(list: "queries", most: 64)
        /// Triples of one passage.
        static let passage = Shape(list: "triples", most: 16, hasLone: true)
        /// Exemplars of one query.
        static let exemplars = Shape(list: "exemplars", most: 16, hasLone: true, limits: .exemplars)
    }

    private let shape: Shape

    struct Item {
        var images: [Modality: SentImage] = [:]
        /// What else is said of this one.
        var fields: Fields
        /// Of a query in JSON, what it has several of itself; nil if it does not say so.
        var exemplars: [Item]?
    }

    /// In the order of their numbers, from 0.
    private(set) var items: [Item] = []
    /// Whether there is but one, or none, of which the options say what they say of the one in a list.
    private(set) var isLone = false
    /// What else was sent, for all of them.
    var options: Fields = .empty

    /// Reads a body: parts `0.rgb`, `0.nir` …, and `options`; or JSON `{"queries": [{"images": …}, …], …}`. A lone triple has parts
    /// `rgb` …, or `{"images": …}`; with vectors it is in the options, and there is no item. Boxes are named as the parts are; in
    /// JSON they stand beside the images. A query in JSON may have `exemplars` in place of images. O(body).
    ///
    /// Throws `DocumentError`, or `RequestError.unsupportedMediaType`.
    init(_ body: Data, contentType: String, _ shape: Shape) throws {
        self.shape = shape
        switch try BodyForm(contentType) {
        case .form:
            let most = shape.most * Modality.allCases.count + 1
            try read(MultipartParser(contentType: contentType, mostParts: most).parts(of: body))
        case .json: try read(json: body)
        }
        guard ((shape.hasLone ? 0 : 1)...shape.most).contains(items.count) else {
            throw DocumentError.invalid(
                field: shape.list, expected: "1 to \(shape.most)", found: "\(items.count)")
        }
    }

    private mutating func read(_ parts: [MultipartParser.Part]) throws(DocumentError) {
        var groups: [Int: [Modality: (name: String, file: Data)]] = [:]
        var hasOptions = false
        for part in parts {
            if part.name == "options" {
                try Self.once(part.name, isNew: !hasOptions)
                hasOptions = true
                options = try Fields(document: part.bytes, path: part.name)
                continue
            }
            guard let (number, modality) = place(part.name) else {
                throw .unknownField(
                    String(part.name.prefix(64)), expected: ["0.rgb", "0.nir", "0.tir", "1.rgb", "options"])
            }
            try Self.once(part.name, isNew: groups[number]?[modality] == nil)
            groups[number, default: [:]][modality] = (part.name, part.bytes)
        }
        let boxes = try options.boxes(of: groups.values.flatMap { $0.values.map(\.name) })
        for number in 0..<groups.count {
            guard let parts = groups[number] else {
                throw .invalid(
                    field: "\(number).rgb", expected: "\(shape.list) numbered from 0 without a gap", found: "nothing")
            }
            let images = parts.mapValues { SentImage($0.file, box: boxes[$0.name]) }
            items.append(Item(images: images, fields: .empty))
        }
        isLone = shape.hasLone && items.count < 2
    }

    private static func once(_ name: String, isNew: Bool) throws(DocumentError) {
        if isNew { return }
        throw .invalid(field: name, expected: "one part of that name", found: "two")
    }

    private func place(_ name: String) -> (Int, Modality)? {
        if shape.hasLone, let modality = Modality(rawValue: name) { return (0, modality) }
        let halves = name.split(separator: ".", maxSplits: 1)
        guard halves.count == 2, let number = Int(halves[0]), (0..<shape.most).contains(number),
            "\(number)" == halves[0],
            let modality = Modality(rawValue: String(halves[1]))
        else { return nil }
        return (number, modality)
    }

    private mutating func read(json body: Data) throws(DocumentError) {
        var reader = JSONReader(body, limits: shape.limits)
        var others: [String: JSONValue] = [:]
        var items: [Item] = []
        var lone: [Modality: Data]?
        var hasList = false
        let shape = shape
        try reader.object("") { key, reader throws(DocumentError) in
            let isFirst = !hasList && lone == nil
            if shape.hasLone && key == "images" && isFirst {
                lone = try Self.images(&reader, key)
                return
            }
            guard key == shape.list && isFirst else {
                others[key] = try reader.value()
                return
            }
            hasList = true
            items = try Self.items(&reader, key, shape)
        }
        try reader.end()
        options = Fields(members: others)
        if let lone { items.append(Item(images: try [Modality: SentImage](lone, &options), fields: .empty)) }
        self.items = items
        isLone = shape.hasLone && !hasList
    }

    private static func items(
        _ reader: inout JSONReader, _ path: String, _ shape: Shape
    ) throws(DocumentError) -> [Item] {
        var items: [Item] = []
        try reader.array(path) { place, reader throws(DocumentError) in
            guard place < shape.most else {
                throw .invalid(field: path, expected: "1 to \(shape.most)", found: "more")
            }
            items.append(try item(&reader, "\(path).\(place)", hasExemplars: shape.list == Shape.queries.list))
        }
        return items
    }

    private static func item(
        _ reader: inout JSONReader, _ path: String, hasExemplars: Bool
    ) throws(DocumentError) -> Item {
        var images: [Modality: Data] = [:]
        var others: [String: JSONValue] = [:]
        var exemplars: [Item]?
        try reader.object(path) { key, reader throws(DocumentError) in
            if key == "images" {
                images = try Self.images(&reader, "\(path).images")
            } else if hasExemplars && key == Shape.exemplars.list {
                exemplars = try items(&reader, "\(path).\(key)", .exemplars)
            } else {
                others[key] = try reader.value()
            }
        }
        var fields = Fields(members: others, path: path)
        return Item(images: try [Modality: SentImage](images, &fields), fields: fields, exemplars: exemplars)
    }

    private static func images(_ reader: inout JSONReader, _ path: String) throws(DocumentError) -> [Modality: Data] {
        var images: [String: Data] = [:]
        try TripleBody.read(&reader, path, group: "", into: &images)
        let triple = TripleBody.names("").compactMap { name, modality in images[name].map { (modality, $0) } }
        return Dictionary(uniqueKeysWithValues: triple)
    }
}
