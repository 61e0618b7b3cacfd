import Documents
import Foundation
import Gallery
import Inference
import Serving

/// A request's images and options, from multipart or JSON.
///
/// Of a form, the images are slices of the body; of JSON, they are decoded straight from it and the body is let go. So the
/// same contents give the same images and options, however they came.
struct TripleBody {
    /// File bytes by part name: `rgb`, `nir`, `tir`, or with a prefix where a request has two triples.
    private var images: [String: Data] = [:]
    /// By part name too.
    private var boxes: [String: PixelBox] = [:]
    /// What else was sent.
    var options: Fields = .empty

    /// Reads a body. `groups` are the prefixes of its triples; `""` for the only one. O(body).
    ///
    /// Throws `DocumentError`, or `RequestError.unsupportedMediaType`.
    init(_ body: Data, contentType: String, mostParts: Int, groups: [String] = [""]) throws {
        switch try BodyForm(contentType) {
        case .form: try read(MultipartParser(contentType: contentType, mostParts: mostParts).parts(of: body), groups)
        case .json: try read(json: body, groups)
        }
    }

    /// The part names of a triple with a prefix: `rgb` or `a.rgb`.
    static func names(_ group: String) -> [(name: String, modality: Modality)] {
        Modality.allCases.map { (group.isEmpty ? $0.rawValue : "\(group).\($0.rawValue)", $0) }
    }

    private mutating func read(_ parts: [MultipartParser.Part], _ groups: [String]) throws(DocumentError) {
        let known = groups.flatMap { Self.names($0).map(\.name) } + ["options"]
        var seen: Set<String> = []
        for part in parts {
            guard known.contains(part.name) else {
                throw .unknownField(String(part.name.prefix(64)), expected: known)
            }
            guard seen.insert(part.name).inserted else {
                throw .invalid(field: part.name, expected: "one part of that name", found: "two")
            }
            if part.name == "options" {
                options = try Fields(document: part.bytes, path: part.name)
            } else {
                images[part.name] = part.bytes
            }
        }
        boxes = try options.boxes(of: images.keys)
    }

    /// `{"images": {"rgb": "<base64>"}, "boxes": …}`, or with groups `{"a": {"images": …, "boxes": …}, "b": …}`.
    private mutating func read(json body: Data, _ groups: [String]) throws(DocumentError) {
        var reader = JSONReader(body, limits: .request)
        var images: [String: Data] = [:]
        var others: [String: JSONValue] = [:]
        var inner: [String: [String: JSONValue]] = [:]
        try reader.object("") { key, reader throws(DocumentError) in
            if groups.contains("") && key == "images" {
                try Self.read(&reader, key, group: "", into: &images)
            } else if groups.contains(key) {
                try reader.object(key) { name, reader throws(DocumentError) in
                    if name == "images" {
                        try Self.read(&reader, "\(key).images", group: key, into: &images)
                    } else {
                        inner[key, default: [:]][name] = try reader.value()
                    }
                }
            } else {
                others[key] = try reader.value()
            }
        }
        try reader.end()
        self.images = images
        options = Fields(members: others)
        try readBoxes(inner, groups)
        // Known, though they have been read already.
        for group in groups { _ = options.value(group.isEmpty ? "images" : group) }
    }

    /// The boxes beside a JSON body's images, by the groups that they are in.
    private mutating func readBoxes(
        _ inner: [String: [String: JSONValue]], _ groups: [String]
    ) throws(DocumentError) {
        if groups.contains("") { boxes = try options.boxes(of: images.keys) }
        for group in groups where !group.isEmpty {
            var fields = Fields(members: inner[group] ?? [:], path: group)
            for (name, box) in try fields.boxes(of: triple(group).keys.map(\.rawValue)) {
                boxes["\(group).\(name)"] = box
            }
            _ = fields.value("images")
            try fields.finish()
        }
    }

    /// Reads an object of images by modality.
    static func read(
        _ reader: inout JSONReader, _ path: String, group: String, into images: inout [String: Data]
    ) throws(DocumentError) {
        try reader.object(path) { key, reader throws(DocumentError) in
            guard let (name, _) = names(group).first(where: { $0.modality.rawValue == key }) else {
                throw .unknownField("\(path).\(key.prefix(64))", expected: Modality.allCases.map(\.rawValue))
            }
            images[name] = try reader.base64("\(path).\(key)")
        }
    }

    /// The images of a triple.
    func triple(_ group: String = "") -> [Modality: SentImage] {
        Dictionary(
            uniqueKeysWithValues: Self.names(group).compactMap { name, modality in
                images[name].map { (modality, SentImage($0, box: boxes[name])) }
            })
    }
}

/// How a body with images is written.
enum BodyForm {
    case form, json

    /// By its content type. Throws `RequestError.unsupportedMediaType`.
    init(_ contentType: String) throws(RequestError) {
        let type = contentType.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
        switch type {
        case "multipart/form-data": self = .form
        case "application/json": self = .json
        default:
            throw .unsupportedMediaType(
                found: contentType.isEmpty ? "none" : type, expected: ["multipart/form-data", "application/json"])
        }
    }
}
