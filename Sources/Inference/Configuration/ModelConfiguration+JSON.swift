import Documents
import Foundation

extension ModelConfiguration {
    /// Reads a JSON document, refusing duplicate keys, and validates what it says.
    public init(json: String) throws(ConfigurationError) {
        do {
            // Foundation's decoder keeps one of two equal keys without a word; which one, other readers may see otherwise.
            _ = try JSONParser.parse(Array(json.utf8))
            self = try JSONDecoder().decode(Self.self, from: Data(json.utf8))
        } catch let error as ConfigurationError {
            throw error
        } catch let error as DecodingError {
            throw ConfigurationError(error)
        } catch {
            throw ConfigurationError(field: "", expected: "a JSON document", found: "\(error)")
        }
    }

    /// The document, its keys sorted: equal configurations give equal text.
    ///
    /// Throws `ConfigurationError` if the configuration is not valid.
    public func json() throws(ConfigurationError) -> String {
        try validate()
        do {
            return String(decoding: try JSONEncoder.canonical.encode(self), as: UTF8.self)
        } catch {
            throw ConfigurationError(field: "", expected: "values that JSON can hold", found: "\(error)")
        }
    }
}

extension JSONEncoder {
    /// An encoder whose output depends on the value alone.
    static var canonical: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}
