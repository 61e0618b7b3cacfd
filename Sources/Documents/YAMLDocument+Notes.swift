internal import Yams

extension YAMLDocument {
    /// The comment behind each value, by the keys and indices that lead to it: at the end of the line of the value's key, or of
    /// the nearest key around it that has one, as in `loss:  # eq. 1`.
    ///
    /// A value is a scalar, or a list without mappings. Comments on lines of their own are about no value. Throws
    /// `DocumentError` for the form.
    package static func notes(_ text: String) throws(DocumentError) -> [[String]: String] {
        let comments = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(comment)
        var notes: [[String]: String] = [:]
        for leaf in try leaves(text) {
            let note = leaf.lines.reversed().lazy.compactMap { comments.indices.contains($0) ? comments[$0] : nil }
                .first
            if let note { notes[leaf.path] = note }
        }
        return notes
    }

    /// A value as YAML for people: the keys in `first` first and in that order, the others sorted, lists of scalars on one line,
    /// and behind each value its note. Throws `DocumentError.syntax` if the emitter fails.
    package static func text(
        _ value: JSONValue, first: [String], notes: [[String]: String]
    ) throws(DocumentError) -> String {
        let text: String
        do {
            text = try Yams.serialize(node: try node(value, first: first), width: -1, allowUnicode: true)
        } catch {
            throw .syntax(.yaml, "\(error)")
        }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        for leaf in try leaves(text) {
            guard let note = notes[leaf.path], let line = leaf.lines.last, lines.indices.contains(line) else {
                continue
            }
            let padding = max(2, notesColumn - lines[line].count)
            lines[line] += String(repeating: " ", count: padding) + "# " + note
        }
        return lines.joined(separator: "\n")
    }

    /// Where notes begin, unless the value is longer.
    private static let notesColumn = 44

    /// A value, and the lines from 0 of the keys that lead to it, its own last.
    private struct Leaf {
        let path: [String]
        let lines: [Int]
    }

    private static func leaves(_ text: String) throws(DocumentError) -> [Leaf] {
        do {
            var leaves: [Leaf] = []
            if let root = try Yams.compose(yaml: text) { collect(root, Leaf(path: [], lines: []), into: &leaves) }
            return leaves
        } catch {
            throw .syntax(.yaml, String("\(error)".prefix(500)))
        }
    }

    private static func collect(_ node: Node, _ here: Leaf, into leaves: inout [Leaf]) {
        switch node {
        case .mapping(let mapping) where !mapping.isEmpty:
            for (key, value) in mapping {
                let lines = here.lines + (key.mark.map { [$0.line - 1] } ?? [])
                collect(value, Leaf(path: here.path + [key.scalar?.string ?? ""], lines: lines), into: &leaves)
            }
        case .sequence(let elements) where holdsMapping(node):
            for (index, element) in elements.enumerated() {
                collect(element, Leaf(path: here.path + ["\(index)"], lines: here.lines), into: &leaves)
            }
        default: leaves.append(here)
        }
    }

    private static func holdsMapping(_ node: Node) -> Bool {
        switch node {
        case .mapping: true
        case .sequence(let elements): elements.contains(where: holdsMapping)
        default: false
        }
    }

    private static func node(_ value: JSONValue, first: [String]) throws -> Node {
        switch value {
        case .object(let members):
            let rank = { (key: String) in (first.firstIndex(of: key) ?? first.count, key) }
            let sorted = members.sorted { rank($0.key) < rank($1.key) }
            return .mapping(.init(try sorted.map { (Node($0.key), try node($0.value, first: first)) }))
        case .array(let elements):
            let nodes = try elements.map { try node($0, first: first) }
            return .sequence(.init(nodes, .implicit, nodes.contains(where: holdsMapping) ? .block : .flow))
        default: return try node(value)
        }
    }

    /// What follows the number sign of a line, if there is one outside of quotes.
    private static func comment(_ line: Substring) -> String? {
        var (quote, before) = (Character?.none, Character(" "))
        for index in line.indices {
            let character = line[index]
            if let open = quote {
                if character == open { quote = nil }
            } else if "\"'".contains(character), before.isWhitespace || "[{,".contains(before) {
                quote = character
            } else if character == "#", before.isWhitespace {
                let text = line[line.index(after: index)...].drop(while: \.isWhitespace)
                return text.isEmpty ? nil : String(text)
            }
            before = character
        }
        return nil
    }
}
