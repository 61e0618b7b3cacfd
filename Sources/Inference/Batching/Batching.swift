/// How triples that come at the same time are encoded together.
public struct Batching: Sendable {
    /// The triples of a pass, at least 1. More would hold up those that come meanwhile for little gain.
    public var most = 8
    /// The longest time that a pass which could begin waits for triples that are on their way.
    public var wait = Duration.zero
    /// Told of each pass before it begins how long each of its triples has waited. Called on the compute thread.
    public var observe: @Sendable (_ waits: [Duration]) -> Void = { _ in }

    /// The defaults.
    public init() {}
}
