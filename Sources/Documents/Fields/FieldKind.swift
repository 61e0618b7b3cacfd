/// What a field may hold: how it is read, and what is said when it holds something else.
package struct FieldKind<Value> {
    /// What was expected, for a message.
    let expected: String
    /// The value, or nil for one that does not fit.
    let read: (JSONValue) -> Value?

    /// A kind of field; `expected` completes "expected …".
    package init(_ expected: String, _ read: @escaping (JSONValue) -> Value?) {
        self.expected = expected
        self.read = read
    }

    /// A list of such values, named by what its elements are.
    package static func list<Element>(of elements: String, _ kind: FieldKind<Element>) -> FieldKind
    where Value == [Element] {
        FieldKind("a list of \(elements)") { value in
            guard let array = value.array else { return nil }
            var elements: [Element] = []
            elements.reserveCapacity(array.count)
            for element in array {
                guard let element = kind.read(element) else { return nil }
                elements.append(element)
            }
            return elements
        }
    }
}

extension FieldKind<String> {
    package static var string: FieldKind { FieldKind("a string", \.string) }
}

extension FieldKind<Bool> {
    package static var bool: FieldKind { FieldKind("true or false", \.bool) }
}

extension FieldKind<JSONValue> {
    /// Whatever it is.
    package static var any: FieldKind { FieldKind("a value") { $0 } }
}

extension FieldKind<Int> {
    /// A whole number that an `Int` holds.
    package static var integer: FieldKind { FieldKind("a whole number", \.integer) }

    /// A whole number in a range.
    package static func integer(_ range: ClosedRange<Int>) -> FieldKind {
        FieldKind("a whole number from \(range.lowerBound) to \(range.upperBound)") { value in
            value.integer.flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension FieldKind<Double> {
    package static var number: FieldKind { FieldKind("a number", \.number) }

    /// A number in a range.
    package static func number(_ range: ClosedRange<Double>) -> FieldKind {
        FieldKind("a number from \(range.lowerBound) to \(range.upperBound)") { value in
            value.number.flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension FieldKind<[String]> {
    package static var strings: FieldKind { .list(of: "strings", .string) }
}

extension FieldKind<[Int]> {
    package static var integers: FieldKind { .list(of: "whole numbers", .integer) }

    /// Whole numbers in a range.
    package static func integers(_ range: ClosedRange<Int>) -> FieldKind {
        .list(of: "whole numbers from \(range.lowerBound) to \(range.upperBound)", .integer(range))
    }
}

extension FieldKind where Value: RawRepresentable<String> & CaseIterable {
    /// One of a closed set of names.
    package static var choice: FieldKind {
        FieldKind("one of " + Value.allCases.map(\.rawValue).joined(separator: ", ")) { value in
            value.string.flatMap(Value.init(rawValue:))
        }
    }
}
