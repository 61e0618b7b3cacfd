import Documents
import Gallery
import Inference
import Serving

extension QueryService.Options {
    /// How something is looked for. Throws `DocumentError` or `RequestError.invalid`.
    init(_ fields: inout Fields) throws {
        self.init()
        limit = try fields.integer("limit", 1...1000) ?? limit
        threshold = try fields.number("threshold", -1...1).map { Float($0) }
        if let name = try fields.string("group_by") {
            guard let grouping = Grouping(rawValue: name) else {
                throw RequestError.invalid(
                    field: fields.name("group_by"), expected: "identity or sighting", found: "\"\(name)\"")
            }
            self.grouping = grouping
        }
        filter = try fields.filter("filter")
        rerank = try Self.rerank(&fields)
        explains = try fields.bool("by_modality") ?? explains
        explainsExemplars = try fields.bool("by_exemplar") ?? explainsExemplars
        combination = try fields.read("combine", .choice) ?? combination
        score = try Self.score(&fields)
    }

    /// `"best"`, `"per_camera"`, or `{"mean_of_best": 3}`.
    private static func score(_ fields: inout Fields) throws -> IdentityScore {
        guard let value = fields.value("score") else { return .best }
        if value == .string("best") { return .best }
        if value == .string("per_camera") { return .perCamera }
        guard value.object != nil else {
            throw fields.invalid("score", "best, per_camera or {\"mean_of_best\": 1 to 100}", value)
        }
        var section = try fields.requireObject("score")
        let count = try section.require("mean_of_best", .integer(1...100))
        try section.finish()
        return .meanOfBest(count)
    }

    /// `true`, or `{"candidates": 200}`.
    private static func rerank(_ fields: inout Fields) throws -> Int? {
        if let isWanted = fields.value("rerank")?.bool { return isWanted ? 200 : nil }
        guard var section = try fields.object("rerank") else { return nil }
        let candidates = try section.integer("candidates", 2...1000) ?? 200
        try section.finish()
        return candidates
    }
}

extension Fields {
    /// Which galleries are searched. Throws `DocumentError` or `RequestError.invalid`.
    mutating func galleries() throws -> [String] {
        let names = try require("galleries", .strings)
        guard (1...16).contains(names.count), Set(names).count == names.count else {
            throw RequestError.invalid(
                field: name("galleries"), expected: "1 to 16 names, each once", found: "\(names.count)")
        }
        return names
    }
}

extension QueryService.Subject {
    /// What a query's body looks for: exemplars, or one that it has itself. Throws `DocumentError` or `RequestError.invalid`.
    init(_ body: inout BatchBody) throws {
        if body.isLone {
            try self.init(body.items.first?.images ?? [:], &body.options)
        } else {
            self = .exemplars(try body.items.map(Self.init))
        }
    }

    /// What one of several looks for. Throws `DocumentError` or `RequestError.invalid`.
    init(_ item: BatchBody.Item) throws {
        var fields = item.fields
        if let exemplars = item.exemplars {
            guard item.images.isEmpty else {
                throw RequestError.invalid(
                    field: fields.name("exemplars"), expected: "either exemplars or images", found: "both")
            }
            self = .exemplars(try exemplars.map(Self.init))
        } else {
            try self.init(item.images, &fields)
        }
        try fields.finish()
    }

    /// What is looked for. Throws `DocumentError`, or `RequestError.invalid` if there is more than one.
    fileprivate init(_ images: [Modality: SentImage], _ fields: inout Fields) throws {
        let (vectors, text) = (try fields.vectors(), try fields.string("text"))
        let sighting = try fields.string("sighting")
        guard [!images.isEmpty, vectors != nil, text != nil, sighting != nil].count(where: { $0 }) < 2 else {
            throw RequestError.invalid(
                field: fields.name(sighting != nil ? "sighting" : text == nil ? "vector" : "text"),
                expected: "either images, vectors, a text or a sighting", found: "more than one")
        }
        self =
            vectors.map { .vectors($0) } ?? text.map { .text($0) } ?? sighting.map { .sighting($0) } ?? .triple(images)
    }
}
