import COpenBLAS
import Documents
import Foundation
import Inference

/// What a run was started with: only with the same does it go on.
struct TrainingOrigin: Codable, Equatable {
    /// Of everything random.
    var seed: UInt64
    /// The recipe's YAML.
    var recipe: String
    /// The data set's folder.
    var data: String
    /// The name of its layout.
    var layout: String
    /// Which of RegDB's divisions; 1 of other layouts.
    var trial: Int
    /// Of compute: sums over another number of threads are rounded otherwise.
    var threads: Int
    /// The digest of the checkpoint that the run started from, if any.
    var initializedFrom: String?
    /// How position embeddings came to their grid, and what was imported before, if anything.
    var initialization: JSONValue?

    /// What a run on a data set starts with, in this process.
    init(
        _ dataset: TriplesDataset, recipe: String, seed: UInt64, initializedFrom: String?, initialization: JSONValue?
    ) {
        (self.seed, self.recipe, self.initializedFrom) = (seed, recipe, initializedFrom)
        self.initialization = initialization
        data = dataset.root.standardizedFileURL.path
        (layout, trial) = (dataset.layout.name, dataset.trial)
        threads = Self.threadsHere
    }

    /// Threads that this process computes with.
    static var threadsHere: Int { Int(openblas_get_num_threads()) }

    /// Throws `TrainingError.differs` if this process computes with another number of threads.
    func checkThreads() throws(TrainingError) {
        guard threads != Self.threadsHere else { return }
        throw .differs(
            "threads", expected: "\(threads) (OMP_NUM_THREADS=\(threads))", found: "\(Self.threadsHere)")
    }

    /// The data set that the run began with, or what is the same elsewhere. Throws `DatasetError`.
    func dataset(at other: URL?) throws(DatasetError) -> TriplesDataset {
        try TriplesDataset(root: other ?? URL(fileURLWithPath: data), layout: layout, trial: trial)
    }

    /// Throws `TrainingError.differs` with the first field in which a recipe differs from the run's.
    func check(recipe other: String, named name: String) throws {
        let (own, found) = (try YAMLDocument.parse(recipe), try YAMLDocument.parse(other))
        guard let difference = own.firstDifference(from: found, path: "") else { return }
        throw TrainingError.differs(
            "\(name), \(difference.path)", expected: difference.own?.summary ?? "nothing",
            found: difference.other?.summary ?? "nothing")
    }
}

extension JSONValue {
    /// Where another document says something else, and what each says.
    fileprivate func firstDifference(
        from other: JSONValue, path: String
    ) -> (path: String, own: JSONValue?, other: JSONValue?)? {
        if self == other { return nil }
        let name = { (key: String) in path.isEmpty ? key : "\(path).\(key)" }
        if let members = object, let others = other.object {
            for key in Set(members.keys).union(others.keys).sorted() where members[key] != others[key] {
                guard let own = members[key], let other = others[key] else {
                    return (name(key), members[key], others[key])
                }
                return own.firstDifference(from: other, path: name(key))
            }
        }
        if let elements = array, let others = other.array, elements.count == others.count {
            for (index, (own, other)) in zip(elements, others).enumerated() where own != other {
                return own.firstDifference(from: other, path: name("\(index)"))
            }
        }
        return (path, self, other)
    }
}
