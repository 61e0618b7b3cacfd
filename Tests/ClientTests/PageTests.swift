import Foundation
import ServingFixtures
import Testing
import TriptychClient

@Suite("Client: docs/client.md")
struct PageTests {
    @Test("its example compiles and does what it says")
    func example() async throws {
        try await LiveServer.run { live in
            let key = try await live.client().createKey(NewKey(name: "first", role: "admin")).token
            let (rgb, tir) = (
                live.folder.appendingPathComponent("rgb.jpg"), live.folder.appendingPathComponent("tir.jpg")
            )
            for (seed, file) in [rgb, tir].enumerated() { try picture(seed).write(to: file) }
            let server = live.url
            // Shown from here
            let client = try Client(server, key: key)
            let gallery = try await client.createGallery("parking", existOK: true)
            let seen = try Triple(files: [.rgb: rgb, .tir: tir], boxes: [.rgb: Box(x: 4, y: 4, width: 24, height: 24)])
            try await gallery.enrol("van-17", .triple(seen), EnrolmentOptions(camera: "north", label: "White van"))
            let answer = try await gallery.query(.triple(seen), QueryOptions(limit: 3, threshold: 0.5))
            for match in answer.matches {
                print(match.identity, match.label ?? "", match.score)
            }
            do {
                _ = try await client.gallery("nowhere").summary()
            } catch let problem as Problem where problem.code == "gallery-not-found" {
                print(problem.detail, problem.requestID ?? "")
            }
            for try await happening in client.events(EventFilter(galleries: ["parking"]), after: 0) {
                guard case .event(let event) = happening else { continue }  // .missed: list anew what is there
                print(event.id, event.kind, event.identity ?? "")
                break
            }
            // to here
            #expect(answer.matches.first?.label == "White van")
        }
    }

    @Test("the example that is compiled is the one that is shown")
    func shown() throws {
        let tests = URL(fileURLWithPath: #filePath)
        let root = tests.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("docs/client.md"), encoding: .utf8)
        let shown = try #require(page.firstMatch(of: /(?ms)^```swift\n(.*?)^```$/)?.output.1)
        let compiled = try String(contentsOf: tests, encoding: .utf8)
            .firstMatch(of: /(?s)\/\/ Shown from here\n(.*?) *\/\/ to here/)?.output.1
        let lines = { (text: Substring) in
            text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        #expect(try lines(#require(compiled)) == lines(shown))
    }
}
