import Foundation
import Hummingbird
import NIOCore

extension Request {
    /// The whole body. Throws `RequestError.bodyTimeout` and `RequestError.bodyTooLarge`.
    func bytes(_ limits: ServerConfiguration.Limits) async throws -> Data {
        let body = body
        let buffer = try await Deadline.run(seconds: limits.bodySeconds, or: .bodyTimeout(seconds: limits.bodySeconds))
        {
            do {
                return try await body.collect(upTo: limits.bodyBytes)
            } catch is NIOTooManyBytesError {
                throw RequestError.bodyTooLarge(limit: limits.bodyBytes)
            }
        }
        return Data(buffer: buffer)
    }

    /// A JSON object, or none at all for an empty body.
    func fields(_ limits: ServerConfiguration.Limits) async throws -> JSONFields {
        let bytes = try await bytes(limits)
        if bytes.isEmpty { return .empty }
        let type = (headers[.contentType] ?? "").prefix { $0 != ";" }.lowercased()
        guard ["application/json", "application/merge-patch+json"].contains(type) else {
            throw RequestError.unsupportedMediaType(
                found: type.isEmpty ? "none" : type, expected: ["application/json"])
        }
        return try JSONFields(document: [UInt8](bytes))
    }

    /// A query parameter that is a whole number. Throws `RequestError.invalid`.
    func integer(_ name: String, _ range: ClosedRange<Int>, default fallback: Int) throws -> Int {
        guard let text = uri.queryParameters[name[...]] else { return fallback }
        guard let number = Int(text), range.contains(number) else {
            throw RequestError.invalid(
                field: name, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)",
                found: "\"\(text)\"")
        }
        return number
    }

    /// A query parameter that is true or false; without a value it is true. Throws `RequestError.invalid`.
    func flag(_ name: String) throws -> Bool {
        guard uri.queryParameters.has(name[...]) else { return false }
        switch uri.queryParameters[name[...]] {
        case nil, "", "true": return true
        case "false": return false
        case .some(let text):
            throw RequestError.invalid(field: name, expected: "true or false", found: "\"\(text)\"")
        }
    }

    /// `?limit=&cursor=` of a list.
    func page() throws -> (limit: Int, cursor: String?) {
        (try integer("limit", 1...1000, default: 50), uri.queryParameters["cursor"].map(String.init))
    }
}

/// Bounds how long something may take.
enum Deadline {
    /// Runs `work`, cancelling it and throwing `error` once the time is over.
    static func run<Value: Sendable>(
        seconds: Int, or error: RequestError, _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try await Task.sleep(for: .seconds(seconds))
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let value = first else { throw error }
            return value
        }
    }
}
