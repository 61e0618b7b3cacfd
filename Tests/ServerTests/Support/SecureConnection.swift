import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import Server
import Synchronization
import Testing

/// Files of `Fixtures/Certificates`.
enum Certificates {
    static func path(_ name: String) throws -> String {
        try #require(Bundle.module.resourceURL).appending(path: "Fixtures/Certificates/\(name)").path
    }

    /// For a server.
    static func tls(_ name: String = "server", clientCA: String? = nil) throws -> ServerConfiguration.TLS {
        try ServerConfiguration.TLS(
            certificate: path("\(name).pem"), key: path("\(name).key"), clientCA: clientCA.map { try path($0) })
    }
}

/// A client's TLS connection that sends whatever bytes a test wants.
final class SecureConnection: Sendable {
    private let channel: any Channel
    private let heard: Heard

    /// Connects to a server of the tests' authority; the handshake may still be under way, or fail.
    ///
    /// - Parameters:
    ///   - protocols: what the client says that it speaks.
    ///   - client: the name of a client's certificate.
    ///   - version: the only one of TLS that the client speaks; absent, whatever is usual.
    ///   - verifies: whether the server's certificate must be valid.
    init(
        _ port: Int, protocols: [String] = [], client: String? = nil, version: TLSVersion? = nil,
        verifies: Bool = true
    ) async throws {
        let heard = Heard()
        var configuration = try Self.configuration(protocols, client, version)
        if !verifies { configuration.certificateVerification = .none }
        let context = try NIOSSLContext(configuration: configuration)
        self.heard = heard
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        NIOSSLClientHandler(context: context, serverHostname: "localhost"), Ears(heard),
                    ])
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
    }

    deinit { leave() }

    private static func configuration(
        _ protocols: [String], _ client: String?, _ version: TLSVersion?
    ) throws -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .file(try Certificates.path("authority.pem"))
        tls.applicationProtocols = protocols
        if let client {
            tls.certificateChain = try NIOSSLCertificate.fromPEMFile(Certificates.path("\(client).pem")).map {
                .certificate($0)
            }
            tls.privateKey = .privateKey(try NIOSSLPrivateKey(file: Certificates.path("\(client).key"), format: .pem))
        }
        if let version { (tls.minimumTLSVersion, tls.maximumTLSVersion) = (version, version) }
        return tls
    }

    /// Closes the connection, whatever is under way.
    func leave() { channel.close(promise: nil) }

    /// Sends bytes; gives up if the server has closed.
    func send(_ bytes: Data) async { try? await channel.writeAndFlush(ByteBuffer(bytes: bytes)) }

    func send(_ text: String) async { await send(Data(text.utf8)) }

    /// All that has come, once that is enough, or the server has closed.
    func receive(until isEnough: @Sendable (Data) -> Bool = { _ in false }) async -> Data {
        await heard.received(until: isEnough)
    }

    /// So many whole answers, or what came before the server closed.
    func answers(_ count: Int = 1) async -> [RawConnection.Answer] {
        let answers = RawConnection.answers(in: await receive { RawConnection.answers(in: $0).count >= count })
        heard.forget()
        return answers
    }

    /// Asks whether the server is healthy.
    func isHealthy() async -> Bool {
        await send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        return await answers().first?.status == 200
    }

    /// What both sides have agreed to speak, once they have.
    var negotiated: String? { heard.negotiated }

    /// The common name of the server's certificate, after an answer.
    func server() async throws -> String? {
        let certificate = try await channel.nioSSL_peerCertificate().get()
        return certificate.map { "\($0)" }?.firstMatch(of: /common_name=([^;>]*)/).map { String($0.1) }
    }

    /// The version of TLS, after an answer.
    func version() async throws -> TLSVersion? { try await channel.nioSSL_tlsVersion().get() }
}

extension SecureConnection {
    /// The value of a metric without labels, over HTTP/1.1.
    func metric(_ name: String) async throws -> Double {
        await send("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        let text = String(decoding: try #require(await answers().first).body, as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.hasPrefix("\(name) ") }
        return line.flatMap { Double($0.dropFirst(name.count + 1)) } ?? 0
    }
}

/// What has come on a connection.
private final class Heard: Sendable {
    private struct State {
        var bytes = Data()
        var isClosed = false
        var negotiated: String?
    }

    private let state = Mutex(State())
    private let arrivals: AsyncStream<Void>
    private let arrived: AsyncStream<Void>.Continuation

    init() { (arrivals, arrived) = AsyncStream.makeStream() }

    var negotiated: String? { state.withLock { $0.negotiated } }

    func received(until isEnough: (Data) -> Bool) async -> Data {
        var iterator = arrivals.makeAsyncIterator()
        while true {
            let (bytes, isClosed) = state.withLock { ($0.bytes, $0.isClosed) }
            if isClosed || isEnough(bytes) { return bytes }
            _ = await iterator.next()
        }
    }

    func forget() { state.withLock { $0.bytes = Data() } }

    func hear(_ bytes: Data) {
        state.withLock { $0.bytes += bytes }
        arrived.yield()
    }

    func agreed(_ name: String?) { state.withLock { $0.negotiated = name } }

    func closed() {
        state.withLock { $0.isClosed = true }
        arrived.yield()
    }
}

private final class Ears: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let heard: Heard

    init(_ heard: Heard) { self.heard = heard }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        heard.hear(Data(unwrapInboundIn(data).readableBytesView))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted(let name) = event { heard.agreed(name) }
    }

    func channelInactive(context: ChannelHandlerContext) { heard.closed() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
