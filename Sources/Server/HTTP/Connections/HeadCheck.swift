import NIOCore
import NIOHTTP1

/// Looks at what a head has that is lost once HTTP/1 and HTTP/2 look alike: its version, and how often it names its host.
/// HTTP/1.0 is answered as such, and the connection closed (RFC 9112, section 9.3).
final class HeadCheck: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// Of the request that is being answered: there is one at a time.
    private var isOld = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        isOld = head.version != .http1_1
        // `ConnectionGuard` hears of it before it sees the head.
        if let refusal = refusal(of: head) { context.fireUserInboundEventTriggered(refusal) }
        if isOld {
            head.headers.replaceOrAdd(name: "Connection", value: "close")
            // Nobody waits for what HTTP/1.0 does not know (RFC 9110, section 10.1.1).
            head.headers.remove(name: "Expect")
        }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    private func refusal(of head: HTTPRequestHead) -> HeadRefusal? {
        let hosts = head.headers["Host"]
        if hosts.count > 1 { return .hosts(found: "\(hosts.count)") }
        if !isOld, hosts.first?.isEmpty ?? true { return .hosts(found: "none") }
        // Its end is not where a proxy may think that it is (RFC 9112, section 6.1).
        if isOld, head.headers.contains(name: "Transfer-Encoding") {
            return HeadRefusal(
                .malformedHead, "transfer encoding: expected none in HTTP/1.0, found one")
        }
        return nil
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard isOld, case .head(var head) = unwrapOutboundIn(data) else {
            return context.write(data, promise: promise)
        }
        head.version = .http1_0
        head.headers.replaceOrAdd(name: "Connection", value: "close")
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }
}
