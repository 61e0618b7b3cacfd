/// What a pickle may hold here: plain values, containers, and tensors. Nothing is ever called.
enum PickleValue {
    case none
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case bytes(ArraySlice<UInt8>)
    /// A tuple or a list, by its place in the heap.
    case sequence(Int)
    /// By its place in the heap.
    case dictionary(Int)
    /// A module as TorchScript saves it: its attributes, a dictionary by its place in the heap.
    case module(Int)
    /// A name that a pickle may mention; only those of tensors and containers mean anything.
    case global(String)
    case storage(PickleStorage)
    case tensor(PickleTensor)

    var string: String? { if case .string(let text) = self { text } else { nil } }
    /// A string, or a number as one.
    var name: String? { string ?? integer.map(String.init) }
    var integer: Int? { if case .integer(let value) = self { value } else { nil } }
}

/// The containers of a pickle. Values refer to them by place, so that no nesting or cycle, however deep, recurses.
struct PickleHeap {
    var sequences: [[PickleValue]] = []
    var dictionaries: [[(key: PickleValue, value: PickleValue)]] = []
    /// Every storage that was referred to.
    var storages: [PickleStorage] = []

    mutating func sequence(_ items: [PickleValue] = []) -> PickleValue {
        sequences.append(items)
        return .sequence(sequences.count - 1)
    }

    mutating func dictionary() -> PickleValue {
        dictionaries.append([])
        return .dictionary(dictionaries.count - 1)
    }

    /// A module without attributes yet.
    mutating func module() -> PickleValue {
        dictionaries.append([])
        return .module(dictionaries.count - 1)
    }

    /// The items of a tuple or a list.
    func items(_ value: PickleValue) -> [PickleValue]? {
        if case .sequence(let place) = value { sequences[place] } else { nil }
    }

    /// The pairs of a dictionary.
    func pairs(_ value: PickleValue) -> [(key: PickleValue, value: PickleValue)]? {
        if case .dictionary(let place) = value { dictionaries[place] } else { nil }
    }

    /// The tensors of a module and of those within it, under the names that `state_dict` gives them. One that is there twice is
    /// listed once, so that no cycle is endless.
    func tensors(ofModule root: Int) -> [(name: String, tensor: PickleTensor)] {
        var found: [(name: String, tensor: PickleTensor)] = []
        var (seen, waiting) = (Set([root]), [(prefix: "", place: root)])
        while let (prefix, place) = waiting.popLast() {
            for (key, value) in dictionaries[place] {
                guard let name = key.string else { continue }
                switch value {
                case .tensor(let tensor): found.append((name: prefix + name, tensor: tensor))
                case .module(let inner):
                    // A name as long as this has been nested by nobody's model.
                    if prefix.utf8.count < 1024, seen.insert(inner).inserted {
                        waiting.append((prefix: prefix + name + ".", place: inner))
                    }
                default: break
                }
            }
        }
        return found
    }
}

/// Where a tensor's elements are.
struct PickleStorage {
    /// PyTorch's class, such as `FloatStorage`.
    let type: String
    let key: String
    /// Elements.
    let count: Int
}

/// A view of a storage.
struct PickleTensor {
    let storage: PickleStorage
    let offset: Int
    let sizes: [Int]
    let strides: [Int]

    /// Where in the storage the element of that row-major index is.
    func position(of index: Int) -> Int {
        var (rest, position) = (index, offset)
        for axis in sizes.indices.reversed() {
            position += rest % sizes[axis] * strides[axis]
            rest /= sizes[axis]
        }
        return position
    }
}
