/// Reads a pickle (protocols 0 to 4) that holds tensors and containers; everything else is an error.
///
/// A pickle is a program for a stack machine which, in Python, may call anything. Here `GLOBAL` only names things, and
/// `REDUCE` knows some of them: ordered dictionaries, tensors, parameters, and TorchScript's lists. `NEWOBJ` makes TorchScript's
/// modules, of which nothing but the attributes is read: their code is in other files, which are not opened.
struct Unpickler {
    private var cursor: ByteCursor
    private var stack: [PickleValue] = []
    private var marks: [Int] = []
    private var memo: [Int: PickleValue] = [:]
    /// The containers that values refer to.
    private(set) var heap = PickleHeap()

    /// The tensors that the pickle may refer to by name: in PyTorch's tar form they are in a file of their own.
    private let tensors: [String: PickleTensor]

    init(_ bytes: ArraySlice<UInt8>, tensors: [String: PickleTensor] = [:]) {
        cursor = ByteCursor(bytes)
        self.tensors = tensors
    }

    /// Where the pickle ended, after `value()`.
    var end: Int { cursor.position }

    /// Runs the program and gives what it leaves.
    mutating func value() throws(ImportError) -> PickleValue {
        while true {
            let code = try cursor.byte()
            if code == UInt8(ascii: ".") { return try pop() }
            if try literal(code) { continue }
            if try container(code) { continue }
            if try reference(code) { continue }
            throw ImportError("a pickle with the operation \(code), which a reader of tensors does not know")
        }
    }

    private mutating func pop() throws(ImportError) -> PickleValue {
        guard stack.count > (marks.last ?? 0), let value = stack.popLast() else {
            throw ImportError("a broken pickle: nothing is left on its stack")
        }
        return value
    }

    private mutating func popMark() throws(ImportError) -> [PickleValue] {
        guard let mark = marks.popLast() else { throw ImportError("a broken pickle: no mark") }
        defer { stack.removeSubrange(mark...) }
        return Array(stack[mark...])
    }

    /// Numbers, strings, and the constants.
    private mutating func literal(_ code: UInt8) throws(ImportError) -> Bool {
        switch Character(Unicode.Scalar(code)) {
        case "N": stack.append(.none)
        case "\u{88}": stack.append(.bool(true))
        case "\u{89}": stack.append(.bool(false))
        case "K": stack.append(.integer(try cursor.integer(1)))
        case "M": stack.append(.integer(try cursor.integer(2)))
        case "J": stack.append(.integer(Int(Int32(truncatingIfNeeded: try cursor.integer(4)))))
        case "\u{8a}": stack.append(.integer(try long()))
        case "I", "L": stack.append(try decimal())
        case "G":
            let bits = try cursor.take(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            stack.append(.number(Double(bitPattern: bits)))
        case "F": stack.append(.number(Double(try cursor.line()) ?? .nan))
        case "X": stack.append(.string(try text(4)))
        case "\u{8c}": stack.append(.string(try text(1)))
        case "\u{8d}": stack.append(.string(try text(8)))
        case "V": stack.append(.string(try cursor.line()))
        case "U": stack.append(.string(try text(1)))
        case "T": stack.append(.string(try text(4)))
        case "S": stack.append(.string(String(try cursor.line().dropFirst().dropLast())))
        case "C": stack.append(.bytes(try cursor.take(try cursor.integer(1))))
        case "B": stack.append(.bytes(try cursor.take(try cursor.integer(4))))
        default: return false
        }
        return true
    }

    private mutating func text(_ size: Int) throws(ImportError) -> String {
        String(decoding: try cursor.take(try cursor.integer(size)), as: UTF8.self)
    }

    /// Two's complement of up to eight bytes; PyTorch's magic number, which is longer, is compared elsewhere.
    private mutating func long() throws(ImportError) -> Int {
        let bytes = try cursor.take(try cursor.integer(1))
        guard bytes.count <= 8 else { return Int.max }
        let value = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let shift = UInt64(64 - 8 * bytes.count)
        return bytes.isEmpty ? 0 : Int(Int64(bitPattern: value << shift) >> Int64(shift))
    }

    private mutating func decimal() throws(ImportError) -> PickleValue {
        let line = try cursor.line()
        if line == "00" || line == "01" { return .bool(line == "01") }
        guard let value = Int(line.hasSuffix("L") ? String(line.dropLast()) : line) else {
            throw ImportError("a pickle with the number \(line)")
        }
        return .integer(value)
    }

    /// Tuples, lists, dictionaries.
    private mutating func container(_ code: UInt8) throws(ImportError) -> Bool {
        switch Character(Unicode.Scalar(code)) {
        case "(": marks.append(stack.count)
        case ")": stack.append(heap.sequence())
        case "]": stack.append(heap.sequence())
        case "}": stack.append(heap.dictionary())
        case "\u{85}": stack.append(heap.sequence([try pop()]))
        case "\u{86}":
            let second = try pop()
            stack.append(heap.sequence([try pop(), second]))
        case "\u{87}":
            let (third, second) = (try pop(), try pop())
            stack.append(heap.sequence([try pop(), second, third]))
        case "t", "l": stack.append(heap.sequence(try popMark()))
        case "d": try makeDictionary(try popMark())
        case "a": try append([try pop()])
        case "e": try append(try popMark())
        case "s":
            let value = try pop()
            try set([try pop(), value])
        case "u": try set(try popMark())
        case "0": _ = try pop()
        case "1": _ = try popMark()
        default: return false
        }
        return true
    }

    private mutating func makeDictionary(_ items: [PickleValue]) throws(ImportError) {
        stack.append(heap.dictionary())
        try set(items)
    }

    private mutating func append(_ items: [PickleValue]) throws(ImportError) {
        guard case .sequence(let place) = stack.last else { throw ImportError("a broken pickle: appends to no list") }
        heap.sequences[place] += items
    }

    private mutating func set(_ items: [PickleValue]) throws(ImportError) {
        guard case .dictionary(let place) = stack.last, items.count.isMultiple(of: 2) else {
            throw ImportError("a broken pickle: sets items of no dictionary")
        }
        for index in stride(from: 0, to: items.count, by: 2) {
            heap.dictionaries[place].append((items[index], items[index + 1]))
        }
    }

    /// The memo, names, and what is built from them.
    private mutating func reference(_ code: UInt8) throws(ImportError) -> Bool {
        switch Character(Unicode.Scalar(code)) {
        case "\u{80}": _ = try cursor.byte()
        case "\u{95}": _ = try cursor.take(8)
        case "q": memo[try cursor.integer(1)] = stack.last
        case "r": memo[try cursor.integer(4)] = stack.last
        case "p": memo[try index()] = stack.last
        case "\u{94}": memo[memo.count] = stack.last
        case "h": try recall(try cursor.integer(1))
        case "j": try recall(try cursor.integer(4))
        case "g": try recall(try index())
        case "c": stack.append(.global("\(try cursor.line()).\(try cursor.line())"))
        case "\u{93}":
            let (name, module) = (try pop(), try pop())
            stack.append(.global("\(module.string ?? "?").\(name.string ?? "?")"))
        case "\u{81}": try makeModule()
        case "R":
            let arguments = try pop()
            stack.append(try reduced(try pop(), arguments))
        case "b": try build(try pop())
        case "Q": stack.append(try persistent(try pop()))
        default: return false
        }
        return true
    }

    private mutating func makeModule() throws(ImportError) {
        _ = try pop()
        guard case .global(let name) = try pop(), name.hasPrefix("__torch__.") else {
            throw ImportError("a pickle that makes an object")
        }
        stack.append(heap.module())
    }

    private mutating func build(_ state: PickleValue) throws(ImportError) {
        switch stack.last {
        // The state of an ordered dictionary is only what PyTorch notes beside a state_dict.
        case .dictionary: return
        case .module(let place):
            guard let attributes = heap.pairs(state) else { throw ImportError("a module without attributes") }
            heap.dictionaries[place] += attributes
        default: throw ImportError("a pickle that builds an object")
        }
    }

    private mutating func index() throws(ImportError) -> Int {
        guard let index = Int(try cursor.line()) else { throw ImportError("a broken pickle: no index") }
        return index
    }

    private mutating func recall(_ index: Int) throws(ImportError) {
        guard let value = memo[index] else { throw ImportError("a broken pickle: nothing noted under \(index)") }
        stack.append(value)
    }

    private mutating func reduced(
        _ callee: PickleValue, _ arguments: PickleValue
    ) throws(ImportError) -> PickleValue {
        guard case .global(let name) = callee, let arguments = heap.items(arguments) else {
            throw ImportError("a broken pickle: calls what has no name")
        }
        switch name {
        case "collections.OrderedDict": return heap.dictionary()
        case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2": return .tensor(try tensor(arguments))
        case "torch._utils._rebuild_parameter", "torch.jit._pickle.build_intlist", "torch.jit._pickle.build_boollist",
            "torch.jit._pickle.build_doublelist", "torch.jit._pickle.build_tensorlist",
            "torch.jit._pickle.restore_type_tag":
            guard let first = arguments.first else { break }
            return first
        default: break
        }
        throw ImportError("a pickle that calls \(name): expected only tensors and containers")
    }

    private func tensor(_ arguments: [PickleValue]) throws(ImportError) -> PickleTensor {
        guard arguments.count >= 4, case .storage(let storage) = arguments[0], let offset = arguments[1].integer,
            let sizes = heap.items(arguments[2]), let strides = heap.items(arguments[3]), sizes.count == strides.count
        else { throw ImportError("a broken pickle: a tensor without storage, sizes or strides") }
        // Before they are copied: a pickle may refer to one long list in each of a million tensors.
        guard sizes.count <= 8 else { throw ImportError("a tensor of rank \(sizes.count)") }
        let (wholeSizes, wholeStrides) = (sizes.compactMap(\.integer), strides.compactMap(\.integer))
        guard wholeSizes.count == sizes.count, wholeStrides.count == sizes.count else {
            throw ImportError("a broken pickle: a tensor without whole sizes and strides")
        }
        return PickleTensor(storage: storage, offset: offset, sizes: wholeSizes, strides: wholeStrides)
    }

    /// `("storage", type, key, location, count)`, and in older files a view after it; in the oldest a tensor's name.
    private mutating func persistent(_ value: PickleValue) throws(ImportError) -> PickleValue {
        if let tensor = tensors[value.name ?? ""] { return .tensor(tensor) }
        guard let items = heap.items(value), items.count >= 5, items[0].string == "storage",
            case .global(let type) = items[1], let key = items[2].string, let count = items[4].integer
        else { throw ImportError("a pickle that refers to something other than a tensor's storage") }
        let storage = PickleStorage(type: String(type.split(separator: ".").last ?? ""), key: key, count: count)
        heap.storages.append(storage)
        return .storage(storage)
    }
}
