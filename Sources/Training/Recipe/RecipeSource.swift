import Documents
import Foundation

/// The text of a recipe or of a part of one, from a file or built in.
package struct RecipeSource {
    /// For messages: a file's path, or the name of what is built in.
    let name: String
    /// YAML.
    let text: String
    /// Where parts are looked for before the built-in ones; nil for what is built in.
    let folder: URL?

    /// A text at hand, whose parts are the built-in ones.
    init(name: String, text: String) {
        (self.name, self.text, folder) = (name, text, nil)
    }

    /// A file. Throws `RecipeError.unreadable`.
    package init(path: String) throws(RecipeError) {
        try self.init(file: URL(fileURLWithPath: path), name: path)
    }

    private init(file: URL, name: String, folder: URL? = nil) throws(RecipeError) {
        do {
            text = try String(contentsOf: file, encoding: .utf8)
        } catch {
            throw .unreadable(path: name, reason: error.localizedDescription)
        }
        self.name = name
        self.folder = folder ?? file.deletingLastPathComponent()
    }

    /// What a command was given: a file if there is such a one or if it looks like a path, or else the name of a built-in recipe.
    /// Variants follow behind colons, as in `graft-rgbnt100:table8-ddd`.
    ///
    /// Throws `RecipeError.unreadable` or `.unknownName`.
    package static func given(_ text: String) throws(RecipeError) -> (source: RecipeSource, variants: [String]) {
        if Self.isFile(text) { return (try RecipeSource(path: text), []) }
        let words = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let (name, variants) = (words[0], Array(words.dropFirst()))
        if isFile(name) || name.contains("/") || name.hasSuffix(".yaml") {
            return (try RecipeSource(path: name), variants)
        }
        guard RecipeLibrary.names.contains(name), let text = RecipeLibrary.text(name) else {
            throw .unknownName(name, known: Spelling(name).nearestFirst(RecipeLibrary.names))
        }
        return (RecipeSource(name: name, text: text), variants)
    }

    /// A part: a file beside this recipe, `.yaml` left out or not, or what is built in.
    ///
    /// Throws `RecipeError.unreadable` or `.noSuchPart`; `user` is who composes it.
    func part(_ name: String, of user: String) throws(RecipeError) -> RecipeSource {
        if let folder {
            let file = folder.appendingPathComponent(name.hasSuffix(".yaml") ? name : name + ".yaml")
            if Self.isFile(file.path) { return try RecipeSource(file: file, name: file.path, folder: folder) }
        }
        guard let text = RecipeLibrary.text(name) else {
            throw .noSuchPart(name, of: user, known: Spelling(name).nearestFirst(RecipeLibrary.parts))
        }
        return RecipeSource(name: name, text: text)
    }

    private static func isFile(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
    }
}
