import Foundation
import FoundationNetworking
import Gallery
import Synchronization
import Testing

/// Clients that ask and enrol at a constant rate, and check every answer.
private final class Load: Sendable {
    /// What went wrong, in words.
    private let faults = Mutex<[String]>([])
    private let answers = Mutex(0)
    private let enrolled = Mutex<[String]>([])
    private let isOver = Atomic(false)
    private let port: Int
    private let images: [(modality: String, data: Data)]
    /// What each model makes of the images.
    private let expected: [String: [Double]]

    init(_ port: Int, _ images: [(modality: String, data: Data)], expected: [String: [Double]]) {
        (self.port, self.images, self.expected) = (port, images, expected)
    }

    var report: (faults: [String], answers: Int, enrolled: [String]) {
        (faults.withLock { $0 }, answers.withLock { $0 }, enrolled.withLock { $0 })
    }

    /// Waits until so many more answers have come, or something has gone wrong.
    func waitForAnswers(_ count: Int) async throws {
        let aim = report.answers + count
        while report.answers < aim && report.faults.isEmpty { try await Task.sleep(for: .milliseconds(20)) }
    }

    func end() { isOver.store(true, ordering: .relaxed) }

    private struct Answer: Decodable {
        struct Match: Decodable {
            let score: Double
        }

        let model: String
        let embedding: [Double]?
        let matches: [Match]?
    }

    /// Asks, enrols and asks until told to end.
    func run(client: Int) async {
        var number = client
        while !isOver.load(ordering: .relaxed) {
            await embed()
            await query()
            if number % 5 == client % 5 { await enrol("late-\(number)") }
            number += 10
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    /// The answer's vector is that of the model that it names.
    private func embed() async {
        guard let answer = await send("/v1/embeddings", 200), let found = answer.embedding,
            let expected = expected[answer.model]
        else { return fault("an embedding of an unknown model") }
        let difference = zip(found, expected).map { abs($0 - $1) }.max() ?? .infinity
        if difference > 1e-5 { fault("model \(answer.model.prefix(6)) answered with another's vector: \(difference)") }
    }

    /// The triple is enrolled, so the best match is itself, under whatever model.
    private func query() async {
        guard let answer = await send("/v1/galleries/g/queries", 200) else { return }
        let score = answer.matches?.first?.score ?? 0
        if abs(score - 1) > 1e-5 { fault("model \(answer.model.prefix(6)) found a best score of \(score)") }
    }

    private func enrol(_ identity: String) async {
        guard await send("/v1/galleries/g/identities/\(identity)/sightings", 201, decoding: false) != nil else {
            return
        }
        enrolled.withLock { $0.append(identity) }
    }

    private func fault(_ text: String) { faults.withLock { $0.append(text) } }

    private func send(_ path: String, _ status: Int, decoding: Bool = true) async -> Answer? {
        guard let url = URL(string: "http://127.0.0.1:\(port)\(path)") else { return nil }
        var request = URLRequest(url: url)
        request.httpMethod = "POST"
        request.setValue("multipart/form-data; boundary=xyz", forHTTPHeaderField: "Content-Type")
        request.httpBody = images.reduce(into: Data()) { body, image in
            body += Data(
                "--xyz\r\nContent-Disposition: form-data; name=\"\(image.modality)\"; filename=\"f\"\r\n\r\n".utf8)
            body += image.data + Data("\r\n".utf8)
        }
        request.httpBody?.append(Data("--xyz--\r\n".utf8))
        guard let (data, response) = try? await URLSession.shared.data(for: request) else {
            fault("\(path): no answer")
            return nil
        }
        let found = (response as? HTTPURLResponse)?.statusCode ?? 0
        answers.withLock { $0 += 1 }
        if found != status { fault("\(path): \(found), \(String(decoding: data, as: UTF8.self).prefix(200))") }
        guard decoding else { return found == status ? Answer(model: "", embedding: nil, matches: nil) : nil }
        return try? JSONDecoder().decode(Answer.self, from: data)
    }
}

@Suite("End to end: exchanging models", .serialized)
struct SwapTests {
    private struct Embedded: Decodable {
        let model: String
        let embedding: [Double]
    }

    /// Two models, and what each makes of the first triple.
    private func models(_ world: World) async throws -> [(path: String, embedded: Embedded)] {
        try await world.train(seed: 2, into: "other")
        let files = try world.triple().flatMap { ["--\($0.modality)", $0.path] }
        var models: [(path: String, embedded: Embedded)] = []
        for path in [world.model, world.folder.path("other/model.safetensors")] {
            let result = try await world.triptych.start(["embed", "--checkpoint", path] + files).result()
            models.append((path, try JSONDecoder().decode(Embedded.self, from: Data(result.output.utf8))))
        }
        return models
    }

    private func load(_ world: World, _ port: Int, _ models: [(path: String, embedded: Embedded)]) throws -> Load {
        Load(
            port, try world.triple().map { ($0.modality, try Data(contentsOf: URL(fileURLWithPath: $0.path))) },
            expected: Dictionary(uniqueKeysWithValues: models.map { ($0.embedded.model, $0.embedded.embedding) }))
    }

    private func enrol(_ world: World, _ port: Int) async throws {
        for split in ["gallery", "query"] {
            try await world.triptych.succeed(
                "enroll", "--server", "http://127.0.0.1:\(port)", "--gallery", "g", "--data", world.data, "--split",
                split)
        }
    }

    @Test("ten swaps under load: no request fails, and every answer is its model's alone")
    func underLoad() async throws {
        let world = try await World()
        let models = try await models(world)
        let (server, port) = try await world.serve()
        try await enrol(world, port)
        let load = try load(world, port, models)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in 0..<3 { group.addTask { await load.run(client: client) } }
            for swap in 1...10 {
                try await world.triptych.succeed(
                    "publish", models[swap % 2].path, "--server", "http://127.0.0.1:\(port)", "--activate", "--wait")
                try await load.waitForAnswers(6)
            }
            load.end()
            try await group.waitForAll()
        }
        let report = load.report
        #expect(report.faults.isEmpty, "\(Set(report.faults).prefix(5))")
        #expect(report.answers >= 60 && !report.enrolled.isEmpty)
        server.send(SIGTERM)
        #expect(try await server.result().status == 0)
    }

    @Test("kill -9 during swaps: one model is active, it has everything, and the job goes on")
    func killed() async throws {
        let world = try await World()
        let models = try await models(world)
        try world.configure("swap: {share: 0.05}\n")
        var (server, port) = try await world.serve()
        try await enrol(world, port)
        let load = try load(world, port, models)
        for round in 1...4 {
            let publish = try world.triptych.start(
                ["publish", models[round % 2].path, "--server", "http://127.0.0.1:\(port)", "--activate"])
            _ = try await publish.result()
            // Somewhere in the middle, elsewhere each time.
            try await Task.sleep(for: .milliseconds(130 * round))
            server.send(SIGKILL)
            #expect(try await server.result().status == SIGKILL)
            (server, port) = try await world.serve()
            let state = try await world.jobsEnded(port)
            #expect(state.allSatisfy { $0 == "succeeded" }, "round \(round): \(state)")
        }
        let after = try self.load(world, port, models)
        let client = Task { await after.run(client: 1) }
        try await Task.sleep(for: .milliseconds(500))
        after.end()
        await client.value
        #expect(after.report.faults.isEmpty && load.report.faults.isEmpty, "\(after.report.faults)")
        server.send(SIGTERM)
        #expect(try await server.result().status == 0)
        let store = try await GalleryStore.open(path: world.database)
        try await store.checkIntegrity()
        let active = try #require(try await store.ledger.activeModel())
        #expect(try await store.lacking(model: active, standIn: nil).sightings == 0)
        try await store.close()
    }
}
