/// The sizes of a tensor's axes, outermost first. A scalar has no axes and one element.
public struct Shape: Sendable, Hashable, ExpressibleByArrayLiteral, CustomStringConvertible {
    /// The size of each axis, none negative.
    public let dimensions: [Int]

    /// Makes a shape from axis sizes, none of which may be negative.
    public init(_ dimensions: [Int]) {
        precondition(dimensions.allSatisfy { $0 >= 0 }, "a shape has no negative axis: \(dimensions)")
        self.dimensions = dimensions
    }

    /// Makes a shape from a literal such as `[2, 3]`.
    public init(arrayLiteral elements: Int...) { self.init(elements) }

    /// The number of axes.
    public var rank: Int { dimensions.count }

    /// The number of elements: the product of the axes.
    public var count: Int { dimensions.reduce(1, *) }

    /// The size of an axis; negative indices count from the innermost.
    public subscript(axis: Int) -> Int { dimensions[axis < 0 ? axis + rank : axis] }

    /// The shape as `[2, 3]`.
    public var description: String { "\(dimensions)" }

    /// An axis index with negative ones resolved, checked.
    func axis(_ axis: Int) -> Int {
        let resolved = axis < 0 ? axis + rank : axis
        precondition(dimensions.indices.contains(resolved), "axis \(axis) of a tensor of shape \(self)")
        return resolved
    }

    /// Whether `other` equals the innermost axes of this shape.
    func hasSuffix(_ other: Shape) -> Bool { dimensions.suffix(other.rank).elementsEqual(other.dimensions) }

    /// The products of the axes before `axis`, and of those after it.
    func around(_ axis: Int) -> (outer: Int, inner: Int) {
        (dimensions[..<axis].reduce(1, *), dimensions[(axis + 1)...].reduce(1, *))
    }

    func replacing(_ axis: Int, with size: Int) -> Shape {
        var changed = dimensions
        changed[axis] = size
        return Shape(changed)
    }

    func removing(_ axis: Int) -> Shape {
        var changed = dimensions
        changed.remove(at: axis)
        return Shape(changed)
    }
}
