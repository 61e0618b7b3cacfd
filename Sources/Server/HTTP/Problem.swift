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

    /// Whatever is said of a request is cut off here, so that no answer repeats much of it.
    init(
        _ type: ProblemType, detail: String, instance: String, modality: String? = nil, field: String? = nil
    ) {
        (self.type, title, status) = (type.urn, type.status.reasonPhrase, type.status.code)
        (self.instance, self.modality) = (instance, modality)
        (self.detail, self.field) = (detail.bounded(800), field?.bounded(200))
    }

    /// What the table says of an error, for a request.
    init(_ entry: ProblemTable.Entry, instance: String) {
        self.init(
            entry.type, detail: entry.detail, instance: instance, modality: entry.modality, field: entry.field)
    }

    /// As it is sent.
    var json: Data { (try? Answer.encoder().encode(self)) ?? Data("{}".utf8) }

    /// The answer.
    func response(headers extra: HTTPFields = [:]) -> Response {
        var headers = extra
        headers[.contentType] = "application/problem+json"
        return Response(
            status: HTTPResponse.Status(code: status), headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(data: json)))
    }
}
