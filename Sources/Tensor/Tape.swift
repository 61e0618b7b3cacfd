import Synchronization

/// One recorded operation, or a parameter. The tape is the graph of the nodes that a loss reaches.
///
/// A pullback captures the operation's arguments, never its tracked result: that would tie a cycle that is never freed.
final class Node: Sendable {
    typealias Pullback = @Sendable (Tensor) -> [Tensor?]

    private static let counter = Atomic<UInt64>(0)

    /// Grows with creation, so arguments always come before results.
    let order: UInt64
    /// The path of a parameter; nil for an operation.
    let parameter: String?
    let arguments: [Node?]
    /// From the gradient of the result to those of the arguments, in their order.
    let pullback: Pullback

    init(arguments: [Node?], pullback: @escaping Pullback) {
        order = Self.counter.add(1, ordering: .relaxed).newValue
        parameter = nil
        self.arguments = arguments
        self.pullback = pullback
    }

    init(parameter: String) {
        order = Self.counter.add(1, ordering: .relaxed).newValue
        self.parameter = parameter
        arguments = []
        pullback = { _ in [] }
    }
}

extension Tensor {
    /// This result, recorded if one of the arguments is tracked.
    ///
    /// - Parameter pullback: from the gradient with respect to the result to those with respect to the arguments, in
    ///   order. It may leave out (nil) those of untracked arguments.
    func recorded(from arguments: [Tensor], pullback: @escaping Node.Pullback) -> Tensor {
        guard arguments.contains(where: \.isTracked) else { return self }
        return Tensor(
            storage: storage, shape: shape, node: Node(arguments: arguments.map(\.node), pullback: pullback))
    }
}

/// The gradients of a loss with respect to every parameter that it depends on, by path. Reverse-mode: one pass over the
/// recorded operations, latest first.
///
/// - Parameter loss: a tensor with one element. An untracked one has no gradients.
public func gradients(of loss: Tensor) -> [String: Tensor] {
    precondition(loss.count == 1, "the gradient of a tensor of shape \(loss.shape), expected one element")
    guard let root = loss.node else { return [:] }
    var pending: [UInt64: Tensor] = [root.order: Tensor(repeating: 1, shape: loss.shape)]
    var result: [String: Tensor] = [:]
    for node in reachable(from: root) {
        guard let gradient = pending.removeValue(forKey: node.order) else { continue }
        if let path = node.parameter {
            result[path] = result[path].map { $0 + gradient } ?? gradient
            continue
        }
        for (argument, part) in zip(node.arguments, node.pullback(gradient)) {
            guard let argument, let part else { continue }
            pending[argument.order] = pending[argument.order].map { $0 + part } ?? part
        }
    }
    return result
}

/// The nodes below `root`, latest first, so that each comes after everything that uses it.
private func reachable(from root: Node) -> [Node] {
    var seen: Set<UInt64> = [root.order]
    var found = [root]
    var next = 0
    while next < found.count {
        for argument in found[next].arguments.compactMap({ $0 }) where seen.insert(argument.order).inserted {
            found.append(argument)
        }
        next += 1
    }
    return found.sorted { $0.order > $1.order }
}
