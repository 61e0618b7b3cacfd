import Documents
import Foundation
import FoundationNetworking
import Gallery
import Imaging
import Inference
import Logging
import Server
import Testing

/// A deterministic stand-in for a model: the images' brightness over a coarse grid, averaged over modalities.
struct BrightnessEncoder: TripleEncoder {
    let model = String(repeating: "b7", count: 32)
    let modalities = Modality.allCases
    let dimension = 16
    let inputSize = Image.Size(width: 4, height: 4)
    /// What every image waits for.
    var wait: @Sendable () async throws -> Void = {}

    func prepared(_ image: Image) -> Image { image.resized(width: 4, height: 4, interpolation: .bilinear) }

    /// The picture that is named, as in `picture 3`.
    func embed(text: String) async throws -> [Float] {
        guard let seed = text.split(separator: " ").last.flatMap({ Int($0) }) else {
            throw EncoderError.unknownWords(text: text)
        }
        return try await embed([.rgb: ImageDecoder().decode(picture(seed))]).values
    }

    func embed(_ images: [Modality: Image]) async throws -> Embedding {
        try await wait()
        var values = [Float](repeating: 0, count: dimension)
        for image in images.values.map(prepared) {
            for cell in 0..<dimension { values[cell] += Float(image.pixels[cell * 3]) - 100.5 }
        }
        let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return Embedding(values: values.map { $0 / norm }, modalities: images.keys.sorted())
    }
}

/// A server on a free port with a gallery of its own, for the duration of a test.
struct TestServer {
    let port: Int
    /// As `METHOD /path/{parameter}`.
    let routes: [String]
    /// The models' folder.
    let models: String

    /// An answer, its JSON decoded if it is JSON.
    struct Answer {
        let status: Int
        let headers: [String: String]
        let data: Data

        var json: JSONValue { (try? JSONDecoder().decode(JSONValue.self, from: data)) ?? .null }
        /// The last part of a problem's type.
        var problem: String? { json["type"]?.string.map { String($0.split(separator: ":").last ?? "") } }
    }

    /// Starts a server, hands it to `body`, and stops it.
    static func run(
        _ configure: (inout ServerConfiguration) -> Void = { _ in }, encoder: any TripleEncoder = BrightnessEncoder(),
        _ body: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("triptych-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var configuration = ServerConfiguration()
        configuration.port = 0
        configuration.models = folder.appendingPathComponent("models").path
        configure(&configuration)
        let models = configuration.modelsFolder
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let gallery = try await GalleryStore.open(path: folder.appendingPathComponent("gallery.sqlite").path)
        let server = try await TriptychServer(
            configuration: configuration, encoder: encoder, gallery: gallery, logger: logger)
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run(signals: false) { continuation.yield($0) } }
            group.addTask {
                for await port in ports {
                    try await body(TestServer(port: port, routes: server.routes, models: models))
                    return
                }
            }
            // The first to end is the test, or a server that did not start.
            try await group.next()
            group.cancelAll()
        }
    }

    func send(
        _ method: String, _ path: String, body: Data? = nil, type: String? = nil, headers: [String: String] = [:]
    ) async throws -> Answer {
        var request = URLRequest(url: try #require(URL(string: "http://127.0.0.1:\(port)\(path)")))
        request.httpMethod = method
        request.httpBody = body
        if let type { request.setValue(type, forHTTPHeaderField: "Content-Type") }
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        let (data, response) = try await URLSession.shared.data(for: request)
        let http = try #require(response as? HTTPURLResponse)
        let pairs = http.allHeaderFields.compactMap { key, value -> (String, String)? in
            ("\(key)".lowercased(), "\(value)")
        }
        return Answer(status: http.statusCode, headers: Dictionary(pairs) { $1 }, data: data)
    }

    func sendJSON(_ method: String, _ path: String, _ json: String) async throws -> Answer {
        try await send(method, path, body: Data(json.utf8), type: "application/json")
    }

    /// Sends files and options as a form.
    func sendForm(
        _ path: String, _ files: [String: Data], options: String? = nil, headers: [String: String] = [:]
    ) async throws -> Answer {
        var body = Data()
        for (name, bytes) in files.sorted(by: { $0.key < $1.key }) {
            body += Data("--xyz\r\nContent-Disposition: form-data; name=\"\(name)\"; filename=\"f\"\r\n\r\n".utf8)
            body += bytes + Data("\r\n".utf8)
        }
        if let options {
            body += Data("--xyz\r\nContent-Disposition: form-data; name=\"options\"\r\n\r\n\(options)\r\n".utf8)
        }
        body += Data("--xyz--\r\n".utf8)
        return try await send(
            "POST", path, body: body, type: "multipart/form-data; boundary=xyz", headers: headers)
    }
}

/// A small JPEG with a pattern of its own.
func picture(_ seed: Int, size: Int = 32) throws -> Data {
    var state = UInt64(seed) &* 2_862_933_555_777_941_757 &+ 3_037_000_493
    let levels = (0..<16).map { _ -> UInt8 in
        state = state &* 6_364_136_223_846_793_005 &+ 1
        return UInt8(truncatingIfNeeded: state >> 40)
    }
    let pixels = (0..<(size * size)).map { levels[$0 / size * 4 / size * 4 + $0 % size * 4 / size] }
    return try JPEGEncoder.encode(Image(width: size, height: size, channels: 1, pixels: pixels), quality: 95)
}
