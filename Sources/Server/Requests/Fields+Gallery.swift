import Documents
import Foundation
import Gallery

extension JSONLimits {
    /// What a request may hold: a vector of the most elements, and as much again for the rest.
    static let request = JSONLimits(depth: 32, nodes: 2 << 16)
}

extension Fields {
    /// The members of a request's JSON object; `path` is where it stands in the request. Throws `DocumentError`.
    init(document: Data, path: String = "") throws(DocumentError) {
        try self.init(JSONParser.parse(document, limits: .request), path: path)
    }

    /// The members as text that depends on their values alone.
    var canonical: String { (try? JSONValue.object(members).canonicalText()) ?? "" }

    /// A time.
    mutating func date(_ key: String) throws(DocumentError) -> Date? {
        try read(
            key, FieldKind("an RFC 3339 time such as 2026-01-31T12:00:00Z") { $0.string.flatMap(Timestamp.date) })
    }

    /// A flat object of strings, numbers and truth values.
    mutating func metadata(_ key: String) throws(DocumentError) -> Metadata? {
        guard let value = value(key) else { return nil }
        guard let members = value.object else { throw invalid(key, "a flat object", value) }
        var metadata: Metadata = [:]
        for (name, member) in members {
            switch member {
            case .string(let text): metadata[name] = .string(text)
            case .integer(let number): metadata[name] = .number(Double(number))
            case .number(let number): metadata[name] = .number(number)
            case .bool(let truth): metadata[name] = .bool(truth)
            default: throw invalid("\(key).\(name.prefix(64))", "a string, a number, true or false", member)
            }
        }
        return metadata
    }

    /// A query's filter.
    mutating func filter(_ key: String) throws(DocumentError) -> QueryFilter {
        var filter = QueryFilter()
        guard var section = try object(key) else { return filter }
        filter.cameras = try section.strings("cameras")
        filter.excludeCameras = try section.strings("exclude_cameras")
        filter.identities = try section.strings("identities")
        filter.capturedAfter = try section.date("captured_after")
        filter.capturedBefore = try section.date("captured_before")
        filter.metadata = try section.metadata("metadata") ?? [:]
        try section.finish()
        return filter
    }
}
