extension TorchFile {
    /// PyTorch's oldest form: an archive of `storages`, `tensors` that view them, and a `pickle` that names the tensors.
    static func taped(
        _ bytes: [UInt8]
    ) throws(ImportError) -> (PickleValue, PickleHeap, [String: ArraySlice<UInt8>]) {
        let archive = try TarArchive(bytes)
        guard let storages = archive.entries["storages"], let tensors = archive.entries["tensors"],
            let pickle = archive.entries["pickle"]
        else { throw ImportError("expected PyTorch's storages, tensors and pickle in the archive") }
        let tape = try TapedStorages(storages)
        var unpickler = Unpickler(pickle, tensors: try tape.tensors(tensors))
        let root = try unpickler.value()
        return (root, unpickler.heap, tape.bytes)
    }
}

/// The storages of PyTorch's tar form.
private struct TapedStorages {
    private(set) var bytes: [String: ArraySlice<UInt8>] = [:]
    private var types: [String: String] = [:]

    /// Their number; for each `(key, location, type)`, its count and its elements; then the views of other storages.
    init(_ file: ArraySlice<UInt8>) throws(ImportError) {
        var rest = PickleSequence(file)
        for _ in 0..<(try rest.count()) {
            let about = try rest.items(3)
            guard let key = about[0].name, case .global(let name) = about[2] else {
                throw ImportError("a storage without key or type")
            }
            let type = String(name.split(separator: ".").last ?? "")
            guard let size = TorchFile.elementSize(type) else { throw ImportError("a storage of type \(type)") }
            let count = try rest.integer(8)
            guard count <= rest.remaining / size else { throw ImportError("truncated: storage \(key)") }
            (bytes[key], types[key]) = (try rest.take(count * size), type)
        }
        for view in try rest.sequences() { try add(view) }
    }

    /// `(key, key of the whole, offset, count)`.
    private mutating func add(_ view: [PickleValue]) throws(ImportError) {
        guard view.count >= 4, let key = view[0].name, let root = view[1].name, let whole = bytes[root],
            let type = types[root], let size = TorchFile.elementSize(type), let offset = view[2].integer,
            let count = view[3].integer, offset >= 0, count >= 0, offset <= whole.count / size,
            count <= whole.count / size - offset
        else { throw ImportError("a view that is not within its storage") }
        let start = whole.startIndex + offset * size
        (bytes[key], types[key]) = (whole[start..<(start + count * size)], type)
    }

    /// Their number; for each `(key, storage, type)`, its rank, sizes, strides and offset.
    func tensors(_ file: ArraySlice<UInt8>) throws(ImportError) -> [String: PickleTensor] {
        var (rest, tensors) = (PickleSequence(file), [String: PickleTensor]())
        for _ in 0..<(try rest.count()) {
            let about = try rest.items(3)
            guard let key = about[0].name, let storage = about[1].name, let type = types[storage] else {
                throw ImportError("a tensor without key or storage")
            }
            let rank = try rest.integer(4)
            guard rank <= 8 else { throw ImportError("a tensor of rank \(rank)") }
            _ = try rest.take(4)
            let (sizes, strides) = (try rest.integers(rank), try rest.integers(rank))
            tensors[key] = PickleTensor(
                storage: PickleStorage(type: type, key: storage, count: 0), offset: try rest.integer(8), sizes: sizes,
                strides: strides)
        }
        return tensors
    }
}

/// Pickles one after the other, with plain numbers between them.
private struct PickleSequence {
    private var bytes: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    var remaining: Int { bytes.count }

    private mutating func next() throws(ImportError) -> (value: PickleValue, heap: PickleHeap) {
        var unpickler = Unpickler(bytes)
        let value = try unpickler.value()
        bytes = bytes[unpickler.end...]
        return (value, unpickler.heap)
    }

    /// A number of things, each of which takes at least a byte.
    mutating func count() throws(ImportError) -> Int {
        guard let count = try next().value.integer, (0...remaining).contains(count) else {
            throw ImportError("a broken archive: no count")
        }
        return count
    }

    mutating func items(_ count: Int) throws(ImportError) -> [PickleValue] {
        let (value, heap) = try next()
        guard let items = heap.items(value), items.count >= count else {
            throw ImportError("a broken archive: expected a tuple of \(count)")
        }
        return items
    }

    mutating func sequences() throws(ImportError) -> [[PickleValue]] {
        let (value, heap) = try next()
        return (heap.items(value) ?? []).compactMap(heap.items)
    }

    mutating func take(_ count: Int) throws(ImportError) -> ArraySlice<UInt8> {
        var cursor = ByteCursor(bytes)
        let taken = try cursor.take(count)
        bytes = bytes[cursor.position...]
        return taken
    }

    mutating func integer(_ size: Int) throws(ImportError) -> Int {
        var cursor = ByteCursor(try take(size))
        return try cursor.integer(size)
    }

    mutating func integers(_ count: Int) throws(ImportError) -> [Int] {
        var values: [Int] = []
        for _ in 0..<count { values.append(try integer(8)) }
        return values
    }
}
