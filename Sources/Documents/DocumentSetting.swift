/// A change to a document: `key.path=value`, the value in YAML and list elements by index, as in `stages.0.steps=10`.
package struct DocumentSetting: Sendable {
    /// As it was given.
    package let text: String
    /// The keys to the value.
    package let path: [String]
    /// What it becomes.
    package let value: JSONValue

    /// Reads it; nil for what has no key. Throws `DocumentError` for a value that is not YAML.
    package init?(_ text: String) throws(DocumentError) {
        guard let split = text.firstIndex(of: "="), split > text.startIndex else { return nil }
        self.text = text
        path = text[..<split].split(separator: ".").map(String.init)
        value = try YAMLDocument.parse(String(text[text.index(after: split)...]))
    }

    /// The document with the change. Throws `DocumentError.invalid` for an index that is not there.
    package func applied(to document: JSONValue) throws(DocumentError) -> JSONValue {
        try document.replacing(path[...], with: value, naming: text)
    }
}

extension JSONValue {
    /// The tree with another value at the end of a path, which is made where it is not there; `name` is for errors.
    ///
    /// Throws `DocumentError.invalid` for the index of a list that is not there.
    package func replacing(
        _ keys: ArraySlice<String>, with value: JSONValue, naming name: String
    ) throws(DocumentError) -> JSONValue {
        guard let key = keys.first else { return value }
        if var elements = array {
            guard let index = Int(key), elements.indices.contains(index) else {
                throw .invalid(field: name, expected: "an index below \(elements.count)", found: key)
            }
            elements[index] = try elements[index].replacing(keys.dropFirst(), with: value, naming: name)
            return .array(elements)
        }
        var members = object ?? [:]
        members[key] = try (members[key] ?? .object([:])).replacing(keys.dropFirst(), with: value, naming: name)
        return .object(members)
    }
}
