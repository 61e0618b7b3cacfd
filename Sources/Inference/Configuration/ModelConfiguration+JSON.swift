import Documents
import Foundation

extension ModelConfiguration {
    /// Reads a JSON document, refusing duplicate keys, and validates what it says. Throws `DocumentError`.
    public init(json: String) throws(DocumentError) {
        // A later version's fields say nothing to this one, and its format would be another if they changed the rest.
        var fields = try Fields(try JSONParser.parse(Array(json.utf8)), unknown: .ignored)
        try self.init(&fields)
    }

    /// Reads fields, and validates what they say. Throws `DocumentError`, also for fields that nobody knows if the reader
    /// refuses such.
    package init(_ fields: inout Fields) throws(DocumentError) {
        let format = try fields.require("format", .integer)
        guard Self.formats.contains(format) else {
            throw fields.invalid(
                "format", "\(Self.formats.lowerBound) or \(Self.formats.upperBound)", .integer(format))
        }
        self.init(
            system: try System(&fields),
            modalities: try fields.require(
                "modalities", .list(of: Modality.allCases.map(\.rawValue).joined(separator: ", "), .choice)),
            backbone: try Self.section(&fields, "backbone") { section throws(DocumentError) in try Backbone(&section) },
            input: try Self.section(&fields, "input") { section throws(DocumentError) in try Input(&section) },
            identities: try fields.read("identities", .integer), training: fields.value("training"),
            pruning: fields.value("pruning"), quantization: fields.value("quantization"))
        networks = try fields.read("networks", .integer) ?? 1
        neckFeature = try fields.read("neck_feature", .choice) ?? .before
        try fields.finish()
        try validate()
    }

    private static func section<Section>(
        _ fields: inout Fields, _ key: String, _ read: (inout Fields) throws(DocumentError) -> Section
    ) throws(DocumentError) -> Section {
        var section = try fields.requireObject(key)
        return try read(&section)
    }

    /// The document, its keys sorted: equal configurations give equal text.
    ///
    /// Throws `DocumentError` if the configuration is not valid.
    public func json() throws(DocumentError) -> String {
        try validate()
        do {
            return String(decoding: try JSONEncoder.canonical.encode(self), as: UTF8.self)
        } catch {
            throw .invalid(field: "", expected: "values that JSON can hold", found: "\(error)")
        }
    }
}

extension ModelConfiguration: Encodable {
    private enum Key: String, CodingKey {
        case format, system, modalities, backbone, networks, input, head, identities, training, pruning, quantization
        case neckFeature = "neck_feature"
    }

    /// The first of ``formats`` that has what this configuration says.
    private var format: Int {
        var isPlain = networks == 1 && neckFeature == .before && input.valueRange.isEmpty
        if case .vit(let vit) = backbone, vit.variant != .init() { isPlain = false }
        if case .mixer(let head) = system, head != .init() { isPlain = false }
        return isPlain ? Self.formats.lowerBound : Self.formats.upperBound
    }

    /// Writes the document in the first format that can hold it.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(format, forKey: .format)
        try container.encode(system.name, forKey: .system)
        try container.encode(modalities, forKey: .modalities)
        try container.encode(backbone, forKey: .backbone)
        // What is as it always was is not written: files of before keep their bytes.
        if networks != 1 { try container.encode(networks, forKey: .networks) }
        if neckFeature != .before { try container.encode(neckFeature, forKey: .neckFeature) }
        try container.encode(input, forKey: .input)
        switch system {
        case .graft(let head): try container.encode(head, forKey: .head)
        case .ieee(let head): try container.encode(head, forKey: .head)
        case .dmf(let head): try container.encode(head, forKey: .head)
        case .mixer(let head): if head != .init() { try container.encode(head, forKey: .head) }
        case .unicat, .fusionConcat, .fusionAverage: break
        }
        try container.encodeIfPresent(identities, forKey: .identities)
        try container.encodeIfPresent(training, forKey: .training)
        try container.encodeIfPresent(pruning, forKey: .pruning)
        try container.encodeIfPresent(quantization, forKey: .quantization)
    }
}
