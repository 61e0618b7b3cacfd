import Foundation
import Hummingbird
import Inference

/// A request's images and options, from multipart or JSON.
struct TripleBody {
    /// File bytes by part name: `rgb`, `nir`, `tir`, or with a prefix where a request has two triples.
    var images: [String: Data]
    /// What else was sent.
    var options: JSONFields

    /// Reads a body. `groups` are the prefixes of its triples; `""` for the only one. Throws `RequestError`.
    init(_ body: Data, contentType: String, mostParts: Int, groups: [String] = [""]) throws(RequestError) {
        let type = contentType.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
        switch type {
        case "multipart/form-data":
            let parts = try MultipartParser(contentType: contentType, mostParts: mostParts).parts(of: body)
            (images, options) = try Self.read(parts, groups)
        case "application/json":
            var fields = try JSONFields(document: [UInt8](body))
            images = try Self.read(&fields, groups)
            options = fields
        default:
            throw .unsupportedMediaType(
                found: contentType.isEmpty ? "none" : type, expected: ["multipart/form-data", "application/json"])
        }
    }

    /// The part names of a triple with a prefix: `rgb` or `a.rgb`.
    static func names(_ group: String) -> [(name: String, modality: Modality)] {
        Modality.allCases.map { (group.isEmpty ? $0.rawValue : "\(group).\($0.rawValue)", $0) }
    }

    private static func read(
        _ parts: [MultipartParser.Part], _ groups: [String]
    ) throws(RequestError) -> ([String: Data], JSONFields) {
        let known = groups.flatMap { names($0).map(\.name) }
        var images: [String: Data] = [:]
        var options: JSONFields?
        for part in parts {
            if part.name == "options", options == nil {
                options = try JSONFields(document: [UInt8](part.bytes), path: "options")
            } else if known.contains(part.name), images[part.name] == nil {
                images[part.name] = part.bytes
            } else if known.contains(part.name) || part.name == "options" {
                throw .invalid(field: part.name, expected: "one part of that name", found: "two")
            } else {
                throw .unknownField(part.name, expected: known + ["options"])
            }
        }
        return (images, options ?? .empty)
    }

    /// `{"images": {"rgb": "<base64>"}}`, or with groups `{"a": {"images": …}, "b": …}`.
    private static func read(_ fields: inout JSONFields, _ groups: [String]) throws(RequestError) -> [String: Data] {
        var images: [String: Data] = [:]
        for group in groups {
            if group.isEmpty {
                try read(fields.object("images"), group, into: &images)
            } else if var section = try fields.object(group) {
                try read(section.object("images"), group, into: &images)
                try section.finish()
            }
        }
        return images
    }

    private static func read(
        _ section: JSONFields?, _ group: String, into images: inout [String: Data]
    ) throws(RequestError) {
        guard var section else { return }
        for (name, modality) in names(group) {
            guard let text = try section.string(modality.rawValue) else { continue }
            guard let bytes = Data(base64Encoded: text) else {
                throw .invalid(
                    field: section.name(modality.rawValue), expected: "an image in base64",
                    found: "a string of \(text.count) characters that is not")
            }
            images[name] = bytes
        }
        try section.finish()
    }

    /// The images of a triple.
    func triple(_ group: String = "") -> [Modality: Data] {
        Dictionary(
            uniqueKeysWithValues: Self.names(group).compactMap { name, modality in
                images[name].map { (modality, $0) }
            })
    }
}
