import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Server
import Synchronization

/// An OpenID provider: a listener that notes what it is asked for, and answers as it is told, when it is told.
final class Provider: Sendable {
    /// Gives the whole answer to a request for a path; nil closes the connection without one.
    typealias Answer = @Sendable (String) async -> Data?

    /// What its connections share.
    fileprivate final class Desk: Sendable {
        let answer: Mutex<Answer>
        let paths = Mutex<[String]>([])

        init(_ answer: @escaping Answer) { self.answer = Mutex(answer) }

        func answer(_ path: String) async -> Data? {
            paths.withLock { $0.append(path) }
            return await answer.withLock { $0 }(path)
        }
    }

    /// Its address, without a slash at the end.
    let url: String
    private let channel: any Channel
    private let desk: Desk

    /// - Parameter certificate: of `Fixtures/Certificates`, to be called over TLS.
    init(certificate: String? = nil, _ answer: @escaping Answer) async throws {
        let desk = Desk(answer)
        let tls = try certificate.map { name in
            let files = try Certificates.tls(name)
            return try NIOSSLContext(
                configuration: .makeServerConfiguration(
                    certificateChain: NIOSSLCertificate.fromPEMFile(files.certificate).map { .certificate($0) },
                    privateKey: .privateKey(NIOSSLPrivateKey(file: files.key, format: .pem))))
        }
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.addHandler(Clerk(desk))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.desk = desk
        url = "\(tls == nil ? "http" : "https")://127.0.0.1:\(channel.localAddress?.port ?? 0)"
    }

    deinit { channel.close(promise: nil) }

    /// What it was asked for, in order.
    var paths: [String] { desk.paths.withLock { $0 } }

    /// Answers in another way from now on.
    func change(_ answer: @escaping Answer) { desk.answer.withLock { $0 = answer } }

    /// Waits for so many calls.
    func wait(for count: Int) async throws {
        while paths.count < count { try await Task.sleep(for: .milliseconds(10)) }
    }

    /// A whole answer.
    static func answer(_ body: String, status: String = "200 OK") -> Data {
        Data("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)".utf8)
    }
}

/// Takes one request of a connection to the desk.
private final class Clerk: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let desk: Provider.Desk
    private var head = Data()

    init(_ desk: Provider.Desk) { self.desk = desk }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        head += Data(unwrapInboundIn(data).readableBytesView)
        guard RawConnection.request(in: head) != nil else { return }
        let path = String(decoding: head, as: UTF8.self).split(separator: " ").dropFirst().first.map(String.init) ?? ""
        head = Data()
        let (channel, desk) = (context.channel, desk)
        Task {
            if let answer = await desk.answer(path) {
                try? await channel.writeAndFlush(ByteBuffer(bytes: answer))
            }
            try? await channel.close()
        }
    }
}
