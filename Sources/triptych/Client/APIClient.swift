import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A client of the HTTP API: requests in, decoded answers or typed errors out.
struct APIClient: Sendable {
    /// What went wrong between the client and the server.
    enum Failure: Error, CustomStringConvertible {
        case notAURL(String)
        case unreachable(URL, String)
        case refused(status: Int, detail: String)
        case unreadable(String)

        var description: String {
            switch self {
            case .notAURL(let text): "expected an http URL such as http://127.0.0.1:8080, found '\(text)'"
            case .unreachable(let url, let reason): "cannot reach \(url.absoluteString): \(reason)"
            case .refused(let status, let detail): "the server refused with \(status): \(detail)"
            case .unreadable(let detail): "the server's answer cannot be read: \(detail)"
            }
        }
    }

    private struct Problem: Decodable {
        let title: String?
        let detail: String?
    }

    private let base: URL
    private let session: URLSession
    private let key: String?

    /// Throws `Failure.notAURL` unless the text is an http or https URL.
    init(server: String, key: String?) throws {
        guard let url = URL(string: server), ["http", "https"].contains(url.scheme), url.host != nil else {
            throw Failure.notAURL(server)
        }
        (base, self.key) = (url, key)
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = 60
        session = URLSession(configuration: configuration)
    }

    /// Sends a request and decodes its JSON answer. A status in `tolerated` gives nil instead of an error.
    func send<Answer: Decodable>(
        _ method: String, _ path: [String], query: [String: String] = [:],
        body: (type: String, data: Data)? = nil, headers: [String: String] = [:], tolerating tolerated: Set<Int> = [],
        as type: Answer.Type = Answer.self
    ) async throws -> Answer? {
        let (data, status) = try await send(method, path, query, body: body, headers: headers)
        if tolerated.contains(status) { return nil }
        return try Self.decoded(data, status)
    }

    private static func decoded<Answer: Decodable>(_ data: Data, _ status: Int) throws -> Answer {
        guard (200..<300).contains(status) else { throw refusal(data, status) }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            return try decoder.decode(Answer.self, from: data)
        } catch {
            throw Failure.unreadable("\(error)")
        }
    }

    private static func refusal(_ data: Data, _ status: Int) -> Failure {
        let problem = try? JSONDecoder().decode(Problem.self, from: data)
        return .refused(status: status, detail: problem?.detail ?? problem?.title ?? "no reason given")
    }

    /// Posts a file and decodes the JSON answer. `progress` is told how many bytes are sent.
    func upload<Answer: Decodable>(
        _ file: URL, type: String, to path: [String], as answer: Answer.Type = Answer.self,
        progress: @escaping @Sendable (Int) -> Void
    ) async throws -> Answer {
        var request = request(url(path))
        request.httpMethod = "POST"
        request.setValue(type, forHTTPHeaderField: "Content-Type")
        let (status, data) = try await reaching(request) {
            try await FileTransfer.upload(file, $0, progress: progress)
        }
        return try Self.decoded(data, status)
    }

    /// Writes what is at a path into a file. `progress` is told how many bytes have come.
    func download(
        _ path: [String], accepting type: String, into file: FileHandle, progress: @escaping @Sendable (Int) -> Void
    ) async throws {
        var request = request(url(path))
        request.setValue(type, forHTTPHeaderField: "Accept")
        let (status, data) = try await reaching(request) {
            try await FileTransfer.download($0, into: file, progress: progress)
        }
        guard status == 200 else { throw Self.refusal(data, status) }
    }

    private func reaching<T>(_ request: URLRequest, _ body: (URLRequest) async throws -> T) async throws -> T {
        do {
            return try await body(request)
        } catch let error as URLError {
            throw Failure.unreachable(request.url ?? base, error.localizedDescription)
        }
    }

    private func request(_ url: URL) -> URLRequest {
        var request = URLRequest(url: url)
        if let key { request.setValue("Bearer \(key)", forHTTPHeaderField: "Authorization") }
        return request
    }

    private func url(_ path: [String]) -> URL { path.reduce(base) { $0.appendingPathComponent($1) } }

    /// The bytes at a path; nil if there is nothing.
    func bytes(_ path: [String]) async throws -> Data? {
        let (data, status) = try await send("GET", path, [:], body: nil, headers: [:])
        return status == 200 ? data : nil
    }

    private func send(
        _ method: String, _ path: [String], _ query: [String: String], body: (type: String, data: Data)?,
        headers: [String: String]
    ) async throws -> (Data, Int) {
        var url = url(path)
        if !query.isEmpty { url.append(queryItems: query.map { URLQueryItem(name: $0.key, value: $0.value) }) }
        var request = request(url)
        request.httpMethod = method
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        if let body {
            request.setValue(body.type, forHTTPHeaderField: "Content-Type")
            request.httpBody = body.data
        }
        do {
            let (data, response) = try await session.data(for: request)
            return (data, (response as? HTTPURLResponse)?.statusCode ?? 0)
        } catch {
            throw Failure.unreachable(url, error.localizedDescription)
        }
    }
}
