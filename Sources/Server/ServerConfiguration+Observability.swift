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
        var section = try fields.section("log")
        try section.read("format", .choice, into: &format)
        try section.read("level", .choice, into: &level)
        try section.read("access", .bool, into: &access)
        try section.finish()
    }
}

extension ServerConfiguration.Tracing {
    /// Throws `DocumentError`.
    init?(_ fields: inout Fields) throws {
        guard var section = try fields.object("tracing") else { return nil }
        endpoint = try section.require("endpoint", .string)
        guard let url = URL(string: endpoint), ["http", "https"].contains(url.scheme), url.host?.isEmpty == false else {
            throw section.invalid("endpoint", "a URL such as http://127.0.0.1:4318/v1/traces", .string(endpoint))
        }
        try section.read("sample", .number(0...1), into: &sample)
        try section.finish()
    }
}

extension Logger.Level: DocumentValue {
    /// Its name.
    package var documentValue: JSONValue { .string(rawValue) }
}

extension ServerConfiguration.Log.Format: DocumentValue {
    /// Its name.
    package var documentValue: JSONValue { .string(rawValue) }
}
