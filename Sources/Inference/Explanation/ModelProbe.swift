import Synchronization
import Tensor

/// What a model shows of its inside while it is run to be explained: the last maps of its ResNets, which become leaves of the
/// tape, and where tokens of its transformers look. Of the named places alone, in the order in which they are run.
public final class ModelProbe: Sendable {
    private struct State {
        var maps: [(path: String, leaf: String, map: Tensor)] = []
        var attention: [(path: String, probabilities: Tensor)] = []
    }

    private let paths: Set<String>
    private let state = Mutex(State())

    /// Looks at the layers of some paths.
    init(_ paths: some Sequence<String>) { self.paths = Set(paths) }

    /// A layer that is looked at.
    struct Place: Sendable {
        fileprivate let probe: ModelProbe
        fileprivate let path: String

        /// Keeps a map [B, H, W, C], and gives it back as a leaf.
        func map(_ map: Tensor) -> Tensor {
            probe.state.withLock { state in
                let leaf = "map \(state.maps.count)"
                state.maps.append((path, leaf, map))
                return map.tracked(as: leaf)
            }
        }

        /// Keeps how much each token of [B, N, 3·D] attends to each other, the mean over the heads: [B, N, N].
        func attention(_ qkv: Tensor, heads: Int) {
            let mean = Tensor.attentionProbabilities(qkv, heads: heads).mean(axis: 1)
            probe.state.withLock { $0.attention.append((path, mean)) }
        }
    }

    /// The layer of a path; nil if it is not looked at.
    func place(_ path: String) -> Place? { paths.contains(path) ? Place(probe: self, path: path) : nil }

    /// What was seen at a path, in the order in which it was.
    func attention(at path: String) -> [Tensor] {
        state.withLock { $0.attention.filter { $0.path == path }.map(\.probabilities) }
    }

    /// Each map of a path, weighted by the gradient of a score: [B, H, W], what does not add to the score left out.
    func activations(at path: String, _ gradients: [String: Tensor]) -> [Tensor] {
        state.withLock { state in
            state.maps.filter { $0.path == path }.compactMap { _, leaf, map in
                gradients[leaf].map { ($0 * map).sum(axis: 3).relu() }
            }
        }
    }
}
