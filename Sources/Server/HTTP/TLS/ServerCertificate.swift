import Foundation
import Logging
import NIOSSL
import Serving
import Synchronization

/// The certificate that new connections are shown, with its key and whose certificates clients must have. Files that have
/// changed are taken without a restart; if they cannot be used, what was used before stays.
final class ServerCertificate: Sendable {
    /// What the files hold: certificate, key and authority, nil where there is none or it cannot be read.
    private typealias Contents = [Data?]

    private struct State {
        var context: NIOSSLContext
        /// Of the files as they were last tried, and as they were last seen.
        var tried: Contents
        var seen: Contents
    }

    private let configuration: ServerConfiguration.TLS
    private let logger: Logger
    private let state: Mutex<State>

    /// Reads the files. Throws `ServerError.configuration` if they cannot be used.
    init(_ configuration: ServerConfiguration.TLS, _ logger: Logger) throws(ServerError) {
        (self.configuration, self.logger) = (configuration, logger)
        let contents = Self.contents(configuration)
        let context = try Self.context(configuration, contents, logger)
        state = Mutex(State(context: context, tried: contents, seen: contents))
    }

    /// That of a configuration; nil if it has none. Throws `ServerError.configuration`.
    static func read(_ configuration: ServerConfiguration, _ logger: Logger) throws(ServerError) -> ServerCertificate? {
        guard let tls = configuration.tls else { return nil }
        return try ServerCertificate(tls, logger)
    }

    /// For the next connection.
    var current: NIOSSLContext { state.withLock { $0.context } }

    /// Looks at the files every two seconds, until the task is cancelled.
    func renewing() async {
        while (try? await Task.sleep(for: .seconds(2))) != nil { renew() }
    }

    private func renew() {
        let contents = Self.contents(configuration)
        let isNew = state.withLock { state in
            defer { state.seen = contents }
            // As they were two seconds ago: nobody is in the middle of replacing them.
            guard contents == state.seen, contents != state.tried else { return false }
            state.tried = contents
            return true
        }
        guard isNew else { return }
        do {
            let context = try Self.context(configuration, contents, logger)
            state.withLock { $0.context = context }
            logger.notice("new connections are shown the renewed certificate")
        } catch {
            logger.error("the renewed certificate is not taken", metadata: ["error": "\(error)"])
        }
    }

    private static func contents(_ configuration: ServerConfiguration.TLS) -> Contents {
        [configuration.certificate, configuration.key, configuration.clientCA].map { path in
            path.flatMap { FileManager.default.contents(atPath: $0) }
        }
    }

    private static func context(
        _ configuration: ServerConfiguration.TLS, _ contents: Contents, _ logger: Logger
    ) throws(ServerError) -> NIOSSLContext {
        let chain = try certificates("tls.certificate", configuration.certificate, contents[0])
        let key = try privateKey(configuration.key, contents[1])
        if let mode = SecretFile.modeForOthers(configuration.key) {
            logger.warning(
                "others than its owner can read the key of the certificate",
                metadata: ["file": "\(configuration.key)", "mode": "\(mode)"])
        }
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        tls.minimumTLSVersion = .tlsv12
        tls.applicationProtocols = ["h2", "http/1.1"]
        // Whoever does not answer the end of a session is not waited for.
        tls.shutdownTimeout = .seconds(1)
        if let path = configuration.clientCA {
            tls.trustRoots = .certificates(try certificates("tls.client_ca", path, contents[2]))
            // That it is of this authority; clients have no host names.
            tls.certificateVerification = .noHostnameVerification
            tls.sendCANameList = true
        }
        do {
            let context = try NIOSSLContext(configuration: tls)
            warnOfDates(chain[0], configuration.certificate, logger)
            return context
        } catch {
            throw .configuration(
                "tls.key: expected the key of the certificate \(configuration.certificate), found another in "
                    + "\(configuration.key), or one that cannot be used: \(error)")
        }
    }

    private static func certificates(
        _ name: String, _ path: String, _ contents: Data?
    ) throws(ServerError) -> [NIOSSLCertificate] {
        guard let contents else { throw unreadable(name, path) }
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes([UInt8](contents)), !certificates.isEmpty else {
            throw .configuration("\(name): expected certificates in PEM, found none in \(path)")
        }
        return certificates
    }

    private static func privateKey(_ path: String, _ contents: Data?) throws(ServerError) -> NIOSSLPrivateKey {
        guard let contents else { throw unreadable("tls.key", path) }
        do {
            return try NIOSSLPrivateKey(bytes: [UInt8](contents), format: .pem)
        } catch {
            throw .configuration("tls.key: expected a private key in PEM without a passphrase, found none in \(path)")
        }
    }

    private static func unreadable(_ name: String, _ path: String) -> ServerError {
        .configuration("\(name): expected a file that can be read, found none at \(path)")
    }

    /// A wrong clock is no reason not to start.
    private static func warnOfDates(_ certificate: NIOSSLCertificate, _ path: String, _ logger: Logger) {
        let now = Date()
        let begin = Date(timeIntervalSince1970: TimeInterval(certificate.notValidBefore))
        let end = Date(timeIntervalSince1970: TimeInterval(certificate.notValidAfter))
        let problem: String? =
            if now > end {
                "the certificate has expired"
            } else if now < begin {
                "the certificate is not valid yet"
            } else if now.addingTimeInterval(7 * 86_400) > end {
                "the certificate expires in less than a week"
            } else {
                nil
            }
        guard let problem else { return }
        logger.warning(
            "\(problem)",
            metadata: ["file": "\(path)", "from": "\(Timestamp.text(begin))", "to": "\(Timestamp.text(end))"])
    }
}
