import Documents
import Foundation
import Synchronization
import Testing
import TriptychClient

@Suite("Client: the contract")
struct ContractTests {
    /// A call of each operation.
    private static let calls: [String: @Sendable (Client, GalleryClient) async throws -> Void] = [
        "health": { c, _ in try await c.health() },
        "readiness": { c, _ in _ = try await c.ready() },
        "metrics": { c, _ in _ = try await c.metrics() },
        "contract": { c, _ in _ = try await c.contract() },
        "embed": { c, _ in _ = try await c.embed(image()) },
        "compare": { c, _ in _ = try await c.compare(image(), image()) },
        "listGalleries": { c, _ in _ = try await c.galleries().all() },
        "createGallery": { c, _ in try await c.createGallery("g") },
        "showGallery": { _, g in _ = try await g.summary() },
        "eraseGallery": { _, g in try await g.erase() },
        "updateGallery": { _, g in _ = try await g.update(label: .set("l")) },
        "eraseSightings": { _, g in _ = try await g.eraseSightings(Filter()) },
        "importSightings": { _, g in _ = try await g.importFile(URL(fileURLWithPath: #filePath), format: .lines) },
        "exportGallery": { _, g in try await g.export(to: URL(fileURLWithPath: "/dev/null"), format: .lines) },
        "listGallerySightings": { _, g in _ = try await g.sightings().all() },
        "identify": { _, g in _ = try await g.identify(.vector([1])) },
        "showThresholds": { _, g in _ = try await g.thresholds() },
        "setThresholds": { _, g in _ = try await g.setThresholds(["rgb": 0.5]) },
        "calibrate": { _, g in _ = try await g.calibrate(falseMatchRate: 0.1) },
        "query": { _, g in _ = try await g.query(.text("van")) },
        "queryBatch": { _, g in _ = try await g.queryBatch([.text("van")]) },
        "listIdentities": { _, g in _ = try await g.identities().all() },
        "createIdentity": { _, g in _ = try await g.createIdentity("i") },
        "showIdentity": { _, g in _ = try await g.identity("i") },
        "updateIdentity": { _, g in _ = try await g.updateIdentity("i", watchlist: true) },
        "eraseIdentity": { _, g in try await g.eraseIdentity("i") },
        "renameIdentity": { _, g in _ = try await g.rename("i", to: "j") },
        "mergeIdentities": { _, g in _ = try await g.merge(["j"], into: "i") },
        "distinguishIdentity": { _, g in _ = try await g.distinguish("i", from: ["j"]) },
        "listDistinctions": { _, g in _ = try await g.distinctions(of: "i") },
        "splitIdentity": { _, g in _ = try await g.split(["s"], of: "i", into: "j") },
        "moveSighting": { _, g in _ = try await g.move(seen, to: "j") },
        "similarIdentities": { _, g in _ = try await g.similar(to: "i") },
        "groupIdentities": { _, g in _ = try await g.group(threshold: 0.5) },
        "listCorrections": { _, g in _ = try await g.corrections().all() },
        "undoCorrection": { _, g in _ = try await g.undo("c") },
        "listSightings": { _, g in _ = try await g.sightings(of: "i").all() },
        "enrol": { _, g in _ = try await g.enrol("i", .vector([1])) },
        "showSighting": { _, g in _ = try await g.sighting(seen) },
        "updateSighting": { _, g in _ = try await g.updateSighting(seen, camera: .remove) },
        "eraseSighting": { _, g in try await g.eraseSighting(seen) },
        "showImage": { _, g in _ = try await g.image(seen, .rgb) },
        "listModels": { c, _ in _ = try await c.models().all() },
        "uploadModel": { c, _ in _ = try await c.uploadModel(URL(fileURLWithPath: #filePath)) },
        "showModel": { c, _ in _ = try await c.model("m") },
        "listUploads": { c, _ in _ = try await c.uploads() },
        "beginUpload": { c, _ in _ = try await c.beginUpload(bytes: 9) },
        "showUpload": { c, _ in _ = try await c.upload("u") },
        "resumeUpload": { c, _ in _ = try await c.resumeUpload("u", from: URL(fileURLWithPath: #filePath)) },
        "abandonUpload": { c, _ in try await c.abandonUpload("u") },
        "facets": { _, g in _ = try await g.facets() },
        "queryGalleries": { c, _ in _ = try await c.query([.text("van")], in: ["g"]) },
        "evaluateGallery": { _, g in _ = try await g.evaluate() },
        "showEvaluation": { _, g in _ = try await g.evaluation() },
        "mapGallery": { _, g in _ = try await g.makeMap() },
        "showMap": { _, g in _ = try await g.map() },
        "eraseModel": { c, _ in try await c.eraseModel("m") },
        "activateModel": { c, _ in _ = try await c.activate("m") },
        "listJobs": { c, _ in _ = try await c.jobs().all() },
        "showJob": { c, _ in _ = try await c.job("j") },
        "cancelJob": { c, _ in try await c.cancelJob("j") },
        "followJob": { c, _ in _ = try await c.wait(for: "j") },
        "followEvents": { c, _ in for try await _ in c.events() { break } },
        "listWebhooks": { c, _ in _ = try await c.webhooks() },
        "createWebhook": { c, _ in _ = try await c.createWebhook("https://a.example") },
        "showWebhook": { c, _ in _ = try await c.webhook("w") },
        "deleteWebhook": { c, _ in try await c.deleteWebhook("w") },
        "reviveWebhook": { c, _ in _ = try await c.reviveWebhook("w") },
        "listAudit": { c, _ in _ = try await c.audit().all() },
        "showAccess": { c, _ in _ = try await c.access() },
        "listKeys": { c, _ in _ = try await c.keys() },
        "listServers": { c, _ in _ = try await c.servers() },
        "createKey": { c, _ in _ = try await c.createKey(NewKey(name: "n", role: "read")) },
        "showKey": { c, _ in _ = try await c.key("k") },
        "revokeKey": { c, _ in _ = try await c.revokeKey("k") },
    ]

    /// For people in browsers.
    private static let pages: Set = ["start", "console", "consoleFile"]

    private static let seen = SightingReference(identity: "i", sighting: "s")
    private static let given = [
        "gallery": "g", "identity": "i", "sighting": "s", "modality": "rgb", "model": "m", "job": "j",
        "correction": "c",
        "key": "k", "webhook": "w", "upload": "u",
    ]

    private static func image() throws -> Triple { try Triple([.rgb: Data([0xFF, 0xD8])]) }

    @Test("each operation of openapi.yaml has a call, at its path")
    func operations() async throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let contract = try YAMLDocument.parse(
            String(contentsOf: root.appendingPathComponent("openapi.yaml"), encoding: .utf8))
        let isResuming = Mutex(false)
        let upload = try FileManager.default.attributesOfItem(atPath: #filePath)[.size] as? Int ?? 0
        let stub = StubServer { _ in
            // Where an upload is, is asked before a piece is sent.
            let isAsked = isResuming.withLock { isResuming in
                defer { isResuming = false }
                return isResuming
            }
            guard isAsked else { return StubServer.answer("404 Not Found") }
            return StubServer.answer(
                "200 OK", #"{"id": "u", "bytes": \#(upload), "offset": 7, "expires_at": "2026-01-31T12:00:00Z"}"#)
        }
        let client = try Client.impatient(stub.url)
        for (template, item) in contract["paths"]?.object ?? [:] {
            let path = Self.given.reduce(template) { $0.replacing("{\($1.key)}", with: $1.value) }
            for (method, operation) in item.object ?? [:] {
                guard let name = operation["operationId"]?.string else { continue }
                if Self.pages.contains(name) { continue }
                guard let call = Self.calls[name] else {
                    Issue.record("no call of \(name)")
                    continue
                }
                isResuming.withLock { $0 = name == "resumeUpload" }
                await #expect(throws: Problem.self, "\(name)") { try await call(client, client.gallery("g")) }
                let line = stub.requests.last?.line.split(separator: " ").prefix(2).joined(separator: " ")
                #expect(line?.prefix { $0 != "?" } == "\(method.uppercased()) \(path)", "\(name)")
            }
        }
        #expect(stub.requests.count == Self.calls.count + 1)
    }
}
