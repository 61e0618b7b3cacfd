import Documents
import Foundation
import Logging

extension ServerConfiguration {
    /// What is logged, and how.
    public struct Log: Sendable, Equatable {
        /// How a line is written.
        public enum Format: String, Sendable, CaseIterable {
            /// As swift-log does.
            case text
            /// A JSON object.
            case json
        }

        /// How a line is written.
        public var format = Format.text
        /// Where from on lines are written.
        public var level = Logger.Level.info
        /// Whether there is a line, at level `info`, for every request.
        public var access = true
    }

    /// Where spans go, and of how many requests.
    public struct Tracing: Sendable, Equatable {
        /// Of a collector that takes OTLP over HTTP as JSON, such as `http://127.0.0.1:4318/v1/traces`.
        public var endpoint: String
        /// The share of traces that begin here, 0 to 1; of others, whoever began them has decided.
        public var sample = 0.1

        /// To a collector.
        public init(endpoint: String) { self.endpoint = endpoint }
    }
}

extension ServerConfiguration.Log {
    /// Throws `DocumentError`.
    mutating func read(_ fields: inout Fields) throws {
        guard var section = try fields.object("log") else { return }
        if let text = try section.string("format") {
            format = try Self.one(Format.init(rawValue:), text, section.name("format"), Format.allCases.map(\.rawValue))
        }
        if let text = try section.string("level") {
            level = try Self.one(
                Logger.Level.init(rawValue:), text, section.name("level"), Logger.Level.allCases.map(\.rawValue))
        }
        access = try section.bool("access") ?? access
        try section.finish()
    }

    private static func one<Value>(
        _ make: (String) -> Value?, _ text: String, _ field: String, _ known: [String]
    ) throws -> Value {
        guard let value = make(text) else {
            throw DocumentError.invalid(
                field: field, expected: "one of \(known.joined(separator: ", "))", found: "\"\(text)\"")
        }
        return value
    }
}

extension ServerConfiguration.Tracing {
    /// Throws `DocumentError`.
    init?(_ fields: inout Fields) throws {
        guard var section = try fields.object("tracing") else { return nil }
        endpoint = try section.require("endpoint", .string)
        guard let url = URL(string: endpoint), ["http", "https"].contains(url.scheme), url.host?.isEmpty == false else {
            throw DocumentError.invalid(
                field: section.name("endpoint"), expected: "a URL such as http://127.0.0.1:4318/v1/traces",
                found: "\"\(endpoint)\"")
        }
        sample = try section.number("sample", 0...1) ?? sample
        try section.finish()
    }
}
