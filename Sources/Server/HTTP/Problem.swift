import Foundation
import Hummingbird

/// An error as RFC 9457 writes it.
struct Problem: Encodable {
    /// Stable: clients may compare it.
    let type: String
    let title: String
    let status: Int
    let detail: String
    /// The request's identifier.
    let instance: String
    /// The modality of the image that is at fault.
    let modality: String?
    /// The field that is at fault.
    let field: String?

    /// The answer.
    func response(headers extra: HTTPFields = [:]) -> Response {
        var headers = extra
        headers[.contentType] = "application/problem+json"
        let body = (try? Answer.encoder().encode(self)) ?? Data("{}".utf8)
        return Response(
            status: HTTPResponse.Status(code: status), headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(data: body)))
    }
}
