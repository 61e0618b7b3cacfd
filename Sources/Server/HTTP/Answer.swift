import Foundation
import Hummingbird
import Serving

/// Successful answers.
enum Answer {
    /// snake_case keys, RFC 3339 times, stable order.
    static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(Timestamp.text(date))
        }
        return encoder
    }

    /// A value as JSON.
    static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, headers extra: HTTPFields = [:]
    ) throws -> Response {
        var headers = extra
        headers[.contentType] = "application/json"
        return Response(
            status: status, headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(data: try encoder().encode(value))))
    }

    /// A job that has begun: 202, and where it is followed.
    static func accepted(_ job: JobStatus) throws -> Response {
        try json(JobView(job), status: .accepted, headers: [.location: "/v1/jobs/\(job.record.id)"])
    }

    /// Nothing: 204.
    static var nothing: Response { Response(status: .noContent) }

    /// Bytes of a given type.
    static func bytes(_ data: Data, type: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(data: data)))
    }
}
