import Documents

extension ModelConfiguration: Codable {
    private enum Key: String, CodingKey {
        case format, system, modalities, backbone, input, head, identities, training, pruning
    }

    /// Reads and validates.
    ///
    /// Throws `ConfigurationError` for a form or a value that is refused, `DecodingError` for one of the wrong type.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        let format = try container.whole(.format)
        guard format == Self.format else {
            throw ConfigurationError(field: "format", expected: "\(Self.format)", found: "\(format)")
        }
        system = try Self.system(container.choice(System.Name.self, .system), from: container)
        modalities = try container.decode([String].self, forKey: .modalities).map { name in
            try Modality.named(name, field: "modalities")
        }
        backbone = try container.decode(Backbone.self, forKey: .backbone)
        input = try container.decode(Input.self, forKey: .input)
        identities = container.contains(.identities) ? try container.whole(.identities) : nil
        training = try container.decodeIfPresent(JSONValue.self, forKey: .training)
        pruning = try container.decodeIfPresent(JSONValue.self, forKey: .pruning)
        try validate()
    }

    private static func system(
        _ name: System.Name, from container: KeyedDecodingContainer<Key>
    ) throws -> System {
        switch name {
        case .unicat: .unicat
        case .fusionConcat: .fusionConcat
        case .fusionAverage: .fusionAverage
        case .graft: .graft(try container.decode(GraFTHead.self, forKey: .head))
        case .ieee: .ieee(try container.decode(IEEEHead.self, forKey: .head))
        case .mixer: .mixer
        case .dmf: .dmf(try container.decode(DMFHead.self, forKey: .head))
        }
    }

    /// Writes the document's current format.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(Self.format, forKey: .format)
        try container.encode(system.name, forKey: .system)
        try container.encode(modalities, forKey: .modalities)
        try container.encode(backbone, forKey: .backbone)
        try container.encode(input, forKey: .input)
        switch system {
        case .graft(let head): try container.encode(head, forKey: .head)
        case .ieee(let head): try container.encode(head, forKey: .head)
        case .dmf(let head): try container.encode(head, forKey: .head)
        case .unicat, .fusionConcat, .fusionAverage, .mixer: break
        }
        try container.encodeIfPresent(identities, forKey: .identities)
        try container.encodeIfPresent(training, forKey: .training)
        try container.encodeIfPresent(pruning, forKey: .pruning)
    }
}
