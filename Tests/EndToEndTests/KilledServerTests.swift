import Foundation
import FoundationNetworking
import Gallery
import Synchronization
import Testing

/// What the server has said to be enrolled.
private final class Acknowledgements: Sendable {
    private let list = Mutex<[String]>([])

    var paths: [String] { list.withLock { $0 } }

    /// Adds one and gives their number.
    func add(_ path: String) -> Int {
        list.withLock {
            $0.append(path)
            return $0.count
        }
    }
}

@Suite("End to end: a killed server")
struct KilledServerTests {
    /// Enrols one image and gives the sighting's path, or nil if the server did not answer.
    private static func enrol(_ port: Int, _ number: Int, _ image: Data) async -> String? {
        guard let url = URL(string: "http://127.0.0.1:\(port)/v1/galleries/g/identities/car-\(number % 7)/sightings")
        else { return nil }
        var request = URLRequest(url: url)
        request.httpMethod = "POST"
        request.setValue("multipart/form-data; boundary=xyz", forHTTPHeaderField: "Content-Type")
        request.httpBody =
            Data("--xyz\r\nContent-Disposition: form-data; name=\"rgb\"; filename=\"a.jpg\"\r\n\r\n".utf8) + image
            + Data("\r\n--xyz--\r\n".utf8)
        guard let (_, response) = try? await URLSession.shared.data(for: request),
            let http = response as? HTTPURLResponse, http.statusCode == 201
        else { return nil }
        return http.value(forHTTPHeaderField: "Location")
    }

    @Test("kill -9 during enrolment: everything acknowledged is there after the restart, and the database is sound")
    func killed() async throws {
        let world = try await World()
        let image = try Data(contentsOf: URL(fileURLWithPath: world.triple()[0].path))
        let (server, port) = try await world.serve()
        try await world.triptych.succeed(
            "enroll", "--server", "http://127.0.0.1:\(port)", "--gallery", "g", "--data", world.data)
        let acknowledgements = Acknowledgements()
        await withTaskGroup(of: Void.self) { group in
            for client in 0..<4 {
                group.addTask {
                    var number = client
                    // Until the server no longer answers.
                    while let path = await Self.enrol(port, number, image) {
                        if acknowledgements.add(path) == 40 { server.send(SIGKILL) }
                        number += 4
                    }
                }
            }
        }
        let acknowledged = acknowledgements.paths
        #expect(try await server.result().status == SIGKILL)
        #expect(acknowledged.count >= 40)

        let (again, newPort) = try await world.serve()
        for path in acknowledged {
            let url = try #require(URL(string: "http://127.0.0.1:\(newPort)\(path)/images/rgb"))
            let (data, _) = try await URLSession.shared.data(from: url)
            #expect(data == image, "\(path)")
        }
        again.send(SIGTERM)
        #expect(try await again.result().status == 0)
        let store = try await GalleryStore.open(path: world.database)
        try await store.checkIntegrity()
        #expect(try await store.gallery("g").sightings >= acknowledged.count)
        try await store.close()
    }
}
