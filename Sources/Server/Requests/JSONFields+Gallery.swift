import Gallery
import Inference

extension JSONFields {
    /// A flat object of strings, numbers and truth values.
    mutating func metadata(_ key: String) throws(RequestError) -> Metadata? {
        guard let value = value(key) else { return nil }
        guard let members = value.object else { throw invalid(key, "a flat object", value) }
        var metadata: Metadata = [:]
        for (name, member) in members {
            switch member {
            case .string(let text): metadata[name] = .string(text)
            case .integer(let number): metadata[name] = .number(Double(number))
            case .number(let number): metadata[name] = .number(number)
            case .bool(let truth): metadata[name] = .bool(truth)
            default: throw invalid("\(key).\(name)", "a string, a number, true or false", member)
            }
        }
        return metadata
    }

    /// A query's filter.
    mutating func filter(_ key: String) throws(RequestError) -> QueryFilter {
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
