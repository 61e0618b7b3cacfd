internal import Yams

/// YAML as JSON values: what configurations and recipes are written in.
///
/// Stricter than YAML: keys are strings, none comes twice, numbers are finite, and aliases may not swell the document
/// beyond its limits. A quoted scalar is a string, whatever it looks like.
package enum YAMLDocument {
    /// More than any configuration or recipe has.
    private static let limits = JSONLimits(depth: 64, nodes: 1 << 16)

    /// Reads one document; an empty one is `null`. Throws `DocumentError` for its form.
    package static func parse(_ text: String) throws(DocumentError) -> JSONValue {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            // Some of Yams' errors quote the line that they are about, however long it is.
            throw .syntax(.yaml, String("\(error)".prefix(500)))
        }
        guard let root else { return .null }
        var reader = Reader(limits: limits)
        return try reader.value(root, depth: 0)
    }

    /// A value as YAML, its keys sorted. Throws `DocumentError.syntax` if the emitter fails.
    package static func text(_ value: JSONValue) throws(DocumentError) -> String {
        do {
            return try Yams.serialize(node: try node(value), sortKeys: true)
        } catch {
            throw .syntax(.yaml, "\(error)")
        }
    }

    static func node(_ value: JSONValue) throws -> Node {
        switch value {
        case .object(let members): .mapping(.init(try members.map { (Node($0.key), try node($0.value)) }))
        case .array(let elements): .sequence(.init(try elements.map(node)))
        case .string(let text): try text.represented()
        case .integer(let whole): try whole.represented()
        // YAML 1.1 wants a point before an exponent.
        case .number(let number):
            Node("\(number)".replacing(/^(-?\d+)e/, with: { "\($0.output.1).0e" }), Tag(.float))
        case .bool(let truth): try truth.represented()
        case .null: Node("null", Tag(.null))
        }
    }

    /// Counts what an alias repeats as often as it is repeated.
    private struct Reader {
        let limits: JSONLimits
        var nodes = 0

        mutating func value(_ node: Node, depth: Int) throws(DocumentError) -> JSONValue {
            nodes += 1
            guard nodes <= limits.nodes else { throw .tooManyNodes(.yaml, limit: limits.nodes) }
            guard depth < limits.depth else { throw .tooDeep(.yaml, limit: limits.depth) }
            switch node {
            case .mapping(let mapping): return .object(try members(mapping, depth: depth))
            case .sequence(let sequence):
                var elements: [JSONValue] = []
                for element in sequence { elements.append(try value(element, depth: depth + 1)) }
                return .array(elements)
            case .scalar(let scalar): return try self.scalar(scalar, node)
            case .alias: throw .syntax(.yaml, "expected no alias without its anchor")
            }
        }

        private mutating func members(
            _ mapping: Node.Mapping, depth: Int
        ) throws(DocumentError) -> [String: JSONValue] {
            var members: [String: JSONValue] = [:]
            for (key, element) in mapping {
                guard case .scalar(let scalar) = key else { throw Self.error("a string as a key", key) }
                guard members[scalar.string] == nil else {
                    throw Self.error("no second \(JSONValue.string(scalar.string).summary)", key)
                }
                members[scalar.string] = try value(element, depth: depth + 1)
            }
            return members
        }

        private func scalar(_ scalar: Node.Scalar, _ node: Node) throws(DocumentError) -> JSONValue {
            switch Tag.Name(rawValue: node.tag.description) {
            case .null: return .null
            case .bool: if let truth = node.bool { return .bool(truth) }
            case .int: if let whole = node.int { return .integer(whole) }
            case .float: if let number = node.float, number.isFinite { return .number(number) }
            default: return .string(scalar.string)
            }
            throw Self.error("a finite number, a truth value or a string", node)
        }

        private static func error(_ expected: String, _ node: Node) -> DocumentError {
            .syntax(.yaml, "expected \(expected)" + (node.mark.map { " at line \($0.line)" } ?? ""))
        }
    }
}
