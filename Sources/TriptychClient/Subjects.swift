import Documents
import Foundation

/// What an image shows.
public enum Modality: String, Codable, Sendable, CaseIterable, CodingKeyRepresentable {
    /// Visible light.
    case rgb
    /// Near infrared.
    case nir
    /// Thermal infrared.
    case tir
}

/// Where in an image an object is, in whole pixels of the upright image at its full size. In JSON `[x, y, width, height]`.
public struct Box: Sendable, Equatable {
    /// The leftmost column, from 0.
    public let x: Int
    /// The topmost row, from 0.
    public let y: Int
    /// Columns, from 1.
    public let width: Int
    /// Rows, from 1.
    public let height: Int

    /// The server judges whether it is within its image.
    public init(x: Int, y: Int, width: Int, height: Int) {
        (self.x, self.y, self.width, self.height) = (x, y, width, height)
    }

    var json: JSONValue { .array([x, y, width, height].map(JSONValue.integer)) }
}

/// Up to one image a modality, of one object at one moment.
public struct Triple: Sendable, Equatable {
    /// The bytes of JPEG or PNG files.
    public let images: [Modality: Data]
    /// Where in them the object is; without one, all of an image shows it.
    public let boxes: [Modality: Box]

    /// Throws `ClientError.invalidArgument` unless there is an image and each box has one.
    public init(_ images: [Modality: Data], boxes: [Modality: Box] = [:]) throws {
        guard !images.isEmpty, images.values.allSatisfy({ !$0.isEmpty }) else {
            throw ClientError.invalidArgument("expected at least one image of rgb, nir and tir, and none without bytes")
        }
        if let lone = boxes.keys.first(where: { images[$0] == nil }) {
            throw ClientError.invalidArgument("expected an image for the box of \(lone.rawValue), found none")
        }
        (self.images, self.boxes) = (images, boxes)
    }

    /// Reads the files. Throws as `init(_:boxes:)`, also for a file that cannot be read.
    public init(files: [Modality: URL], boxes: [Modality: Box] = [:]) throws {
        try self.init(
            files.mapValues { file in
                do {
                    return try Data(contentsOf: file)
                } catch {
                    throw ClientError.invalidArgument("\(file.path): \(error.localizedDescription)")
                }
            }, boxes: boxes)
    }
}

/// What can be enrolled and recognised.
public enum Subject: Sendable, Equatable {
    /// Images.
    case triple(Triple)
    /// A vector a modality (`rgb`, or `nir+rgb` of IEEE), as `Client.embed(_:)` gives them. `model` made them, by default the
    /// active one.
    case vectors([String: [Float]], model: String? = nil)
    /// One vector of several modalities, by default all that the model knows, compared with sightings of exactly these.
    case vector([Float], modalities: [Modality]? = nil, model: String? = nil)

    /// As members of a JSON object.
    var members: [String: JSONValue] {
        switch self {
        case .triple(let triple):
            let images = triple.images.map { ($0.key.rawValue, JSONValue.string($0.value.base64EncodedString())) }
            let boxes = triple.boxes.map { ($0.key.rawValue, $0.value.json) }
            return given([
                "images": .object(Dictionary(uniqueKeysWithValues: images)),
                "boxes": boxes.isEmpty ? nil : .object(Dictionary(uniqueKeysWithValues: boxes)),
            ])
        case .vectors(let vectors, let model):
            return given(["vectors": .object(vectors.mapValues(\.json)), "model": model.map(JSONValue.string)])
        case .vector(let vector, let modalities, let model):
            return given([
                "vector": vector.json, "model": model.map(JSONValue.string),
                "modalities": modalities.map { .array($0.map { .string($0.rawValue) }) },
            ])
        }
    }
}

/// What a gallery can be queried with.
public enum QuerySubject: Sendable, Equatable {
    /// What could also be enrolled.
    case like(Subject)
    /// Words, for models that read texts (DMF).
    case text(String)
    /// An enrolled sighting by its identifier; it is no answer to itself.
    case sighting(String)

    /// Images.
    public static func triple(_ triple: Triple) -> QuerySubject { .like(.triple(triple)) }

    var members: [String: JSONValue] {
        switch self {
        case .like(let subject): subject.members
        case .text(let text): ["text": .string(text)]
        case .sighting(let sighting): ["sighting": .string(sighting)]
        }
    }

    var triple: Triple? { if case .like(.triple(let triple)) = self { triple } else { nil } }
}

extension [Float] {
    fileprivate var json: JSONValue { .array(map { .number(Double($0)) }) }
}

// MARK: Bodies

extension Request.Body {
    /// A subject with options: a form if it has images, which takes less than base64.
    static func of(_ subject: QuerySubject, _ options: [String: JSONValue] = [:]) throws -> Request.Body {
        if let triple = subject.triple { return try form(["": triple], options) }
        return try .json(JSONValue.object(subject.members.merging(options) { $1 }))
    }

    /// Subjects with options for all of them, in JSON as the array `name`.
    static func of(
        _ subjects: [QuerySubject], named name: String, _ options: [String: JSONValue]
    ) throws -> Request.Body {
        let triples = subjects.enumerated().compactMap { index, subject in subject.triple.map { ("\(index).", $0) } }
        if !triples.isEmpty && triples.count == subjects.count {
            return try form(Dictionary(uniqueKeysWithValues: triples), options)
        }
        let list = JSONValue.array(subjects.map { .object($0.members) })
        return try .json(JSONValue.object(options.merging([name: list]) { $1 }))
    }

    /// Triples, whose parts' names begin with their keys.
    static func form(_ triples: [String: Triple], _ options: [String: JSONValue] = [:]) throws -> Request.Body {
        var form = MultipartForm()
        var boxes: [String: JSONValue] = [:]
        for (group, triple) in triples {
            for (modality, image) in triple.images { form.add(group + modality.rawValue, image) }
            for (modality, box) in triple.boxes { boxes[group + modality.rawValue] = box.json }
        }
        let all = boxes.isEmpty ? options : options.merging(["boxes": .object(boxes)]) { $1 }
        if !all.isEmpty { try form.add("options", json: all) }
        return form.encoded
    }
}

// MARK: Vectors of triples

/// What a triple's vectors are. They can be enrolled and queried with in the triple's place, as `subject`.
public struct Embedding: Codable, Sendable, Equatable {
    /// What made them.
    public let model: String
    /// What they were made from.
    public let modalities: [String]
    /// Of unit length.
    public let embedding: [Float]
    /// By modality, as the model gives them; they find any other modalities.
    public let vectors: [String: [Float]]

    /// What stands for the triple.
    public var subject: Subject { .vectors(vectors, model: model) }
}

/// The similarity of two triples.
public struct Comparison: Codable, Sendable, Equatable {
    /// What compared them.
    public let model: String
    /// Of the first and of the second.
    public let modalities: [[String]]
    /// The cosine.
    public let score: Double
}

extension Client {
    /// The vectors of a triple; nothing is kept.
    public func embed(_ triple: Triple) async throws -> Embedding {
        try await transport.ask(.post(TriptychClient.path("embeddings"), .form(["": triple]), isRepeatable: true))
    }

    /// The cosine of two triples, by the modalities that both have.
    public func compare(_ a: Triple, _ b: Triple) async throws -> Comparison {
        try await transport.ask(
            .post(TriptychClient.path("comparisons"), .form(["a.": a, "b.": b]), isRepeatable: true))
    }
}
