import Foundation

/// A checkpoint that is handed over in pieces.
public struct Upload: Codable, Sendable, Equatable {
    /// Names it.
    public let id: String
    /// The digest that the whole must have; nil for any.
    public let model: String?
    /// Of the whole.
    public let bytes: Int
    /// Bytes that have come.
    public let offset: Int
    /// When it is forgotten, unless more comes.
    public let expiresAt: Date
}

extension Client {
    /// Uploads that are not whole yet.
    public func uploads() async throws -> [Upload] {
        try await transport.ask(.get(path("models", "uploads")), as: Items<Upload>.self).items
    }

    /// An upload as it is now.
    public func upload(_ upload: String) async throws -> Upload {
        try await transport.ask(.get(path("models", "uploads", upload)))
    }

    /// Begins to hand over a checkpoint in pieces.
    ///
    /// - Parameters:
    ///   - bytes: of the whole.
    ///   - model: its digest, where that is known: a whole with another is refused.
    public func beginUpload(bytes: Int, model: String? = nil) async throws -> Upload {
        let document = given(["bytes": .integer(bytes), "model": model.map(JSONValue.string)])
        return try await transport.ask(.post(path("models", "uploads"), JSONValue.object(document)))
    }

    /// Sends what an upload lacks of its checkpoint, in pieces of 8 MiB, and goes on where a connection breaks off as long as
    /// anything comes across. Any process may go on with what another began, within a day.
    ///
    /// - Parameters:
    ///   - upload: the upload.
    ///   - checkpoint: the same file each time; of another length it is `ClientError.invalidArgument`.
    ///   - progress: is told how many bytes have come, and of how many.
    public func resumeUpload(
        _ upload: String, from checkpoint: URL,
        progress: @escaping @Sendable (_ sent: Int, _ of: Int) -> Void = { _, _ in }
    ) async throws -> ServedModel {
        let pieces = try UploadPieces(checkpoint)
        var (reached, failures) = (-1, 0)
        while true {
            let now = try await self.upload(upload)
            guard now.bytes == pieces.bytes else {
                throw ClientError.invalidArgument(
                    "\(checkpoint.path): expected \(now.bytes) bytes, found \(pieces.bytes)")
            }
            failures = now.offset > reached ? 0 : failures + 1
            reached = now.offset
            do {
                return try await send(pieces, to: now, progress)
            } catch {
                guard failures < Self.mostFailures, Self.mayPass(error) else { throw error }
                try await Task.sleep(for: .milliseconds(min(30_000, 500 << failures)))
            }
        }
    }

    /// Forgets an upload that is not whole.
    public func abandonUpload(_ upload: String) async throws {
        try await transport.erase(path("models", "uploads", upload))
    }

    /// Tries that bring an upload no further, one after the other.
    private static let mostFailures = 8

    private static func mayPass(_ error: any Error) -> Bool {
        switch error {
        case ClientError.connectionFailed, ClientError.timedOut: true
        case let problem as Problem: problem.code.hasPrefix("upload-") || [408, 429, 503].contains(problem.status)
        default: false
        }
    }

    /// From where it is to its end.
    private func send(
        _ pieces: UploadPieces, to upload: Upload, _ progress: @Sendable (Int, Int) -> Void
    ) async throws -> ServedModel {
        var offset = upload.offset
        while true {
            let piece = try pieces.read(at: offset)
            var request = Request.piece(path("models", "uploads", upload.id), piece, at: offset)
            offset += piece.count
            if offset == upload.bytes {
                // A server verifies a model for up to so long before it answers, as it is configured by default.
                request.timeout = .seconds(900)
                let model: ServedModel = try await transport.ask(request)
                progress(offset, upload.bytes)
                return model
            }
            try await transport.send(request)
            progress(offset, upload.bytes)
        }
    }
}

/// A file in pieces that memory holds.
private struct UploadPieces: Sendable {
    private static let most = 8 << 20

    let bytes: Int
    private let file: URL

    /// Throws `ClientError.invalidArgument` for what is no file that can be read.
    init(_ file: URL) throws {
        guard let size = try? FileManager.default.attributesOfItem(atPath: file.path)[.size] as? Int else {
            throw ClientError.invalidArgument("\(file.path): expected a file that can be read")
        }
        (self.file, bytes) = (file, size)
    }

    func read(at offset: Int) throws -> Data {
        do {
            let handle = try FileHandle(forReadingFrom: file)
            defer { try? handle.close() }
            try handle.seek(toOffset: UInt64(offset))
            let piece = try handle.read(upToCount: Self.most) ?? Data()
            guard piece.count == min(Self.most, bytes - offset) else {
                throw ClientError.invalidArgument("\(file.path): expected \(bytes) bytes: was it changed meanwhile?")
            }
            return piece
        } catch let error as ClientError {
            throw error
        } catch {
            throw ClientError.invalidArgument("\(file.path): \(error.localizedDescription)")
        }
    }
}

extension Request {
    /// A piece of an upload.
    fileprivate static func piece(_ path: String, _ bytes: Data, at offset: Int) -> Request {
        var request = Request("PATCH", path, isRepeatable: false)
        (request.body, request.offset) = (.data(bytes, type: "application/partial-upload"), offset)
        return request
    }
}
