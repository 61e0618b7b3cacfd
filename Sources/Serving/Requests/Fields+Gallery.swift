import Documents
import Foundation
import Gallery
import Inference

extension JSONLimits {
    /// What a request may hold: a vector of the most elements for each modality, and as much again for the rest.
    package static let request = JSONLimits(depth: 32, nodes: 4 << 16)
    /// What a query of several exemplars may hold.
    package static let exemplars = JSONLimits(depth: 32, nodes: 4 * 4 << 16)
    /// What a batch of queries may hold.
    package static let batch = JSONLimits(depth: 32, nodes: 64 * 4 << 16)
}

extension Fields {
    /// The members of a request's JSON object; `path` is where it stands in the request. Throws `DocumentError`.
    package init(document: Data, path: String = "") throws(DocumentError) {
        try self.init(JSONParser.parse(document, limits: .request), path: path)
    }

    /// The members as text that depends on their values alone.
    package var canonical: String { (try? JSONValue.object(members).canonicalText()) ?? "" }

    /// A time.
    package mutating func date(_ key: String) throws(DocumentError) -> Date? {
        try read(
            key, FieldKind("an RFC 3339 time such as 2026-01-31T12:00:00Z") { $0.string.flatMap(Timestamp.date) })
    }

    /// A flat object of strings, numbers and truth values.
    package mutating func metadata(_ key: String) throws(DocumentError) -> Metadata? {
        guard let value = value(key) else { return nil }
        guard let members = value.object else { throw invalid(key, "a flat object", value) }
        var metadata: Metadata = [:]
        for (name, member) in members {
            guard let value = MetadataValue(member) else {
                throw invalid("\(key).\(name.prefix(64))", "a string, a number, true or false", member)
            }
            metadata[name] = value
        }
        return metadata
    }

    /// What a model made of a triple: `vectors` by modality, or a `vector` of a set of `modalities`; `model` says which. nil if
    /// there is neither.
    package mutating func vectors() throws(DocumentError) -> GivenVectors? {
        let parts = try vectorsByModality()
        let whole = try value("vector").map { value throws(DocumentError) in try vector("vector", value) }
        let (modalities, model) = (try strings("modalities"), try string("model"))
        if parts != nil && whole != nil {
            throw .invalid(field: name("vector"), expected: "either vector or vectors", found: "both")
        }
        if let unknown = modalities?.first(where: { Modality(rawValue: $0) == nil }) {
            throw .invalid(field: name("modalities"), expected: "rgb, nir, tir", found: "\"\(unknown.prefix(64))\"")
        }
        guard whole != nil || modalities == nil else {
            throw .invalid(field: name("vector"), expected: "a vector beside modalities", found: "nothing")
        }
        if let whole { return GivenVectors(.whole(whole, modalities: modalities), model: model) }
        guard let parts else {
            guard model == nil else {
                throw .invalid(field: name("vector"), expected: "a vector or vectors beside model", found: "nothing")
            }
            return nil
        }
        return GivenVectors(.parts(parts), model: model)
    }

    private mutating func vectorsByModality() throws(DocumentError) -> [String: [Float]]? {
        guard let given = value("vectors") else { return nil }
        guard let members = given.object, !members.isEmpty else {
            throw invalid("vectors", "an object of vectors by modality", given)
        }
        var vectors: [String: [Float]] = [:]
        for (key, value) in members {
            let names = key.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
            guard names.allSatisfy({ Modality(rawValue: $0) != nil }) || key == "text" else {
                throw .unknownField(
                    name("vectors.\(key.prefix(64))"),
                    expected: Modality.allCases.map(\.rawValue) + ["nir+rgb", "text"])
            }
            vectors[key] = try vector("vectors.\(key)", value)
        }
        return vectors
    }

    /// A list, or base64 of little-endian float32: shorter, and exact.
    private func vector(_ key: String, _ value: JSONValue) throws(DocumentError) -> [Float] {
        let numbers = value.array.map { $0.compactMap(\.number).map { Float($0) } } ?? value.string.flatMap(Self.floats)
        guard let numbers, numbers.count == value.array?.count ?? numbers.count, numbers.allSatisfy(\.isFinite),
            numbers.contains(where: { $0 != 0 })
        else { throw invalid(key, "a list of finite numbers, not all 0, or base64 of them as float32", value) }
        return numbers
    }

    private static func floats(_ text: String) -> [Float]? {
        guard let bytes = Data(base64Encoded: text), bytes.count % 4 == 0 else { return nil }
        return bytes.withUnsafeBytes { bytes in
            (0..<(bytes.count / 4)).map {
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
            }
        }
    }

    /// A query's filter.
    package mutating func filter(_ key: String) throws(DocumentError) -> QueryFilter {
        var filter = QueryFilter()
        guard var section = try object(key) else { return filter }
        filter.cameras = try section.strings("cameras")
        filter.excludeCameras = try section.strings("exclude_cameras")
        filter.identities = try section.strings("identities")
        filter.capturedAfter = try section.date("captured_after")
        filter.capturedBefore = try section.date("captured_before")
        filter.excludeIdentities = try section.strings("exclude_identities")
        filter.labelPrefix = try section.string("label_prefix")
        filter.isLabelled = try section.bool("labelled")
        filter.metadata = try section.conditions("metadata")
        filter.excludeMetadata = try section.conditions("exclude_metadata")
        try section.finish()
        return filter
    }

    /// Conditions by key: a value, a list of values, or an object of bounds.
    private mutating func conditions(_ key: String) throws(DocumentError) -> [String: MetadataCondition]? {
        guard let value = value(key) else { return nil }
        guard let members = value.object else { throw invalid(key, "an object of conditions by key", value) }
        var conditions: [String: MetadataCondition] = [:]
        for (name, member) in members {
            let path = "\(key).\(name.prefix(64))"
            if member.object != nil {
                conditions[name] = .range(try Self.range(Fields(member, path: self.name(path))))
            } else {
                let values = (member.array ?? [member]).map(MetadataValue.init)
                guard !values.contains(nil) else {
                    throw invalid(path, "a string, a number, true or false, a list of them, or bounds", member)
                }
                conditions[name] = .anyOf(values.compactMap { $0 })
            }
        }
        return conditions
    }

    private static func range(_ bounds: Fields) throws(DocumentError) -> MetadataRange {
        var (bounds, range) = (bounds, MetadataRange())
        func bound(_ inclusive: String, _ exclusive: String) throws(DocumentError) -> (MetadataValue, Bool)? {
            let found = [(inclusive, true), (exclusive, false)].compactMap { name, includes in
                bounds.value(name).map { (name, $0, includes) }
            }
            guard let (name, value, includes) = found.first else { return nil }
            guard found.count == 1, let bound = MetadataValue(value) else {
                throw bounds.invalid(name, "one number or string, as \(inclusive) or \(exclusive)", value)
            }
            return (bound, includes)
        }
        if let (value, includes) = try bound("gte", "gt") { (range.lower, range.includesLower) = (value, includes) }
        if let (value, includes) = try bound("lte", "lt") { (range.upper, range.includesUpper) = (value, includes) }
        try bounds.finish()
        return range
    }
}

extension MetadataValue {
    /// nil for what is no string, number or truth value.
    fileprivate init?(_ value: JSONValue) {
        switch value {
        case .string(let text): self = .string(text)
        case .integer(let number): self = .number(Double(number))
        case .number(let number): self = .number(number)
        case .bool(let truth): self = .bool(truth)
        default: return nil
        }
    }
}
