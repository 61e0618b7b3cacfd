/// A piece of HTML or SVG, safe to put into another: text is escaped, attributes are quoted.
public struct Markup: Sendable, CustomStringConvertible {
    /// The markup itself.
    public let description: String

    /// Elements of HTML that hold nothing.
    private static let void: Set<String> = ["br", "hr", "img", "link", "meta"]

    /// Text, as it shall be read.
    public init(_ text: String) { description = Self.escaped(text) }

    /// An element with its attributes and what it holds.
    public init(_ name: String, _ attributes: KeyValuePairs<String, String>, _ content: [Markup] = []) {
        let given = attributes.map { " \($0)=\"\(Self.escaped($1))\"" }.joined()
        let inner = Self.void.contains(name) ? "" : content.map(\.description).joined() + "</\(name)>"
        description = "<\(name)\(given)>" + inner
    }

    /// An element that holds a text.
    public init(_ name: String, _ attributes: KeyValuePairs<String, String> = [:], text: String) {
        self.init(name, attributes, [Markup(text)])
    }

    /// Markup that is known to be whole, such as a style sheet.
    public init(verbatim: String) { description = verbatim }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
        return result
    }
}
