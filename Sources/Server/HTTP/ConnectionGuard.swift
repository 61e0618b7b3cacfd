import Foundation
import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Looks at a request's head before anyone reads its body: refuses what is declared too long at once instead of after
/// receiving it, answers `Expect: 100-continue`, and refuses requests without a host (RFC 9112, section 3.2).
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limits: ServerConfiguration.Limits
    /// After a refusal the connection only waits to be closed.
    private var hasRefused = false

    init(_ limits: ServerConfiguration.Limits) { self.limits = limits }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !hasRefused else { return }
        guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        if head.authority?.isEmpty ?? true {
            return refuse(context, .badRequest, "missing-host", "expected a Host header, found none")
        }
        let mostBodyBytes = limits.bodyBytes(path: head.path ?? "")
        if let length = head.headerFields[.contentLength].flatMap(Int.init), length > mostBodyBytes {
            return refuse(
                context, .contentTooLarge, "body-too-large",
                "the body of \(length) bytes exceeds the limit of \(mostBodyBytes) bytes")
        }
        if let encoding = head.headerFields[.transferEncoding], encoding.lowercased() != "chunked" {
            return refuse(
                context, .notImplemented, "transfer-encoding", "transfer encoding: expected chunked, found \(encoding)")
        }
        let connection = head.headerFields[.connection]?.lowercased().split(separator: ",") ?? []
        if connection.contains(where: { $0.trimmingCharacters(in: .whitespaces) == "close" }) {
            head.headerFields[.connection] = "close"
        }
        if head.headerFields[.expect]?.lowercased() == "100-continue" {
            context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
        }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    private func refuse(
        _ context: ChannelHandlerContext, _ status: HTTPResponse.Status, _ type: String, _ detail: String
    ) {
        hasRefused = true
        let identifier = UUID().uuidString
        let problem = Problem(
            type: ProblemMiddleware.type(type), title: status.reasonPhrase, status: status.code, detail: detail,
            instance: identifier, modality: nil, field: nil)
        let body = (try? Answer.encoder().encode(problem)) ?? Data()
        var fields: HTTPFields = [
            .contentType: "application/problem+json", .contentLength: "\(body.count)", .connection: "close",
        ]
        fields[.requestID] = identifier
        context.write(wrapOutboundOut(.head(HTTPResponse(status: status, headerFields: fields))), promise: nil)
        context.write(wrapOutboundOut(.body(ByteBuffer(data: body))), promise: nil)
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
            // What the client still sends is read and dropped for a moment, so that it gets to see the answer.
            channel.eventLoop.scheduleTask(in: .milliseconds(500)) { channel.close(promise: nil) }
        }
    }
}

extension HTTPField.Name {
    /// The request's identifier. The literal is a valid field name.
    static let requestID = HTTPField.Name("X-Request-Id") ?? .from
    /// A client's key for a request that it may repeat.
    static let idempotencyKey = HTTPField.Name("Idempotency-Key") ?? .from
}
