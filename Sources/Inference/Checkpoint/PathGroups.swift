/// Paths of weights in few words: by the part of the model that they belong to.
public struct PathGroups: Sendable {
    /// How many paths each part has, parts in order.
    public let counts: [(part: String, count: Int)]

    /// Groups paths. O(paths).
    public init(_ paths: some Sequence<String>) {
        counts = Dictionary(paths.map { (Self.part($0), 1) }, uniquingKeysWith: +).sorted { $0.key < $1.key }
            .map { (part: $0.key, count: $0.value) }
    }

    /// Such as `encoders.*.layer1 162, encoders.*.conv1 3`.
    public var text: String { counts.map { "\($0.part) \($0.count)" }.joined(separator: ", ") }

    /// What a path has before the first number, modalities taken together, or all but its last name.
    private static func part(_ path: String) -> String {
        let names = path.split(separator: ".").map { Modality(rawValue: String($0)) == nil ? String($0) : "*" }
        let end = names.firstIndex { Int($0) != nil } ?? names.count - 1
        return names.prefix(max(end, 1)).joined(separator: ".")
    }
}
