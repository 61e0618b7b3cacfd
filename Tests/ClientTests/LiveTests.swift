import Foundation
import ServingFixtures
import Testing
import TriptychClient

@Suite("Client: a server")
struct LiveTests {
    @Test("what is enrolled is found, listed page by page, corrected, told of and erased")
    func gallery() async throws {
        try await LiveServer.run { server in
            let client = try server.client()
            let ready = try await client.ready()
            #expect(ready.status == "ready" && ready.dimension == 16 && ready.sightings == 0)
            let gallery = try await client.createGallery("g", label: "G", metadata: ["lanes": .integer(2)])
            #expect(try await client.createGallery("g", existOK: true).name == "g")
            let exists = await #expect(throws: Problem.self) { try await client.createGallery("g") }
            #expect(exists?.code == "gallery-exists" && exists?.status == 409 && exists?.requestID?.isEmpty == false)
            let time = Date(timeIntervalSince1970: 1_769_860_800.512)
            var sightings: [Sighting] = []
            for car in 0..<5 {
                let options = EnrolmentOptions(
                    camera: "north", capturedAt: time + Double(car), metadata: ["lane": .integer(car)])
                sightings.append(try await gallery.enrol("car 7/\(car)", .triple(triple(car)), options))
            }
            #expect(
                sightings[2].capturedAt.map(Wire.text) == Wire.text(time + 2)
                    && sightings[2].modalities == ["nir", "rgb", "tir"])
            #expect(try await gallery.identities(pageSize: 2).all().map(\.id) == (0..<5).map { "car 7/\($0)" })
            let late = ListFilter(camera: "north", capturedAfter: time + 3)
            #expect(try await gallery.sightings(late).all().map(\.id) == sightings[3...].map(\.id))
            let image = try await gallery.image(sightings[1].reference, .nir)
            #expect(try image == triple(1).images[.nir])
            let found = try await gallery.query(.triple(triple(3)), QueryOptions(limit: 2, byModality: true))
            #expect(found.matches.count == 2 && found.matches[0].sighting == sightings[3].id)
            #expect(found.matches[0].byModality?.keys.sorted() == ["nir", "rgb", "tir"])
            let correction = try await gallery.rename("car 7/3", to: "van")
            #expect(try await gallery.sighting(.init(identity: "van", sighting: sightings[3].id)).identity == "van")
            #expect(try await gallery.undo(correction.id).undoneAt != nil)
            #expect(try await gallery.updateIdentity("car 7/0", label: .set("first"), watchlist: true).label == "first")
            var filter = Filter()
            filter.metadata = ["lane": .between(gte: .integer(1), lt: .integer(3))]
            #expect(try await gallery.eraseSightings(filter) == 2)
            #expect(try await gallery.summary().sightings == 3)
            try await gallery.erase()
            #expect(try await client.galleries().all().isEmpty)
        }
    }

    @Test("queries in a batch fail one by one, and vectors stand for their triple")
    func queries() async throws {
        try await LiveServer.run { server in
            let client = try server.client()
            let gallery = try await client.createGallery("g")
            let sighting = try await gallery.enrol("a", .triple(triple(1)))
            try await gallery.enrol("b", .triple(triple(2)))
            let embedding = try await client.embed(triple(1))
            let batch = try await gallery.queryBatch(
                [.like(embedding.subject), .sighting("0"), .sighting(sighting.id), .text("picture 2")],
                QueryOptions(limit: 1))
            #expect(batch.results.count == 4)
            #expect(try batch.results[0].get().matches.first?.identity == "a")
            let problem = #expect(throws: Problem.self) { try batch.results[1].get() }
            #expect(problem?.code == "sighting-not-found" && problem?.status == 404)
            #expect(try batch.results[2].get().matches.first?.identity == "b")
            let both = try await client.compare(triple(1), triple(1))
            #expect(abs(both.score - 1) < 1e-5)
            let frame = try Frame(1)
            let box = Box(x: frame.box[0], y: frame.box[1], width: frame.box[2], height: frame.box[3])
            let boxed = try await client.compare(
                Triple([.rgb: frame.file], boxes: [.rgb: box]), Triple([.rgb: frame.crop]))
            #expect(abs(boxed.score - 1) < 1e-5)
            let nan = await #expect(throws: ClientError.self) { try await gallery.query(.like(.vector([.nan]))) }
            #expect(nan?.description.contains("JSON") == true)
        }
    }

    @Test("a passage is recognised by thresholds that are set or calibrated")
    func identification() async throws {
        try await LiveServer.run { server in
            let client = try server.client()
            let gallery = try await client.createGallery("g")
            let without = await #expect(throws: Problem.self) { try await gallery.identify(.triple(triple(1))) }
            #expect(without?.code == "no-threshold")
            let thresholds = try await gallery.setThresholds(["nir+rgb+tir": 0.9])
            #expect(thresholds.first?.threshold == 0.9 && thresholds.first?.stale == false)
            let dry = try await gallery.identify(.triple(triple(1)), PassageOptions(dryRun: true))
            #expect(dry.identity == nil && dry.sightings.isEmpty && !dry.matched)
            let new = try await gallery.identify([.triple(triple(1)), .triple(triple(1))], idempotencyKey: "k")
            #expect(new.new && new.sightings.count == 2 && new.identity != nil && new.quality.count == 2)
            let again = try await gallery.identify([.triple(triple(1)), .triple(triple(1))], idempotencyKey: "k")
            #expect(again.replayed && again.identity == new.identity)
            let known = try await gallery.identify(.triple(triple(1)), PassageOptions(camera: "north"))
            #expect(known.matched && known.identity == new.identity && known.contenders[0].threshold == 0.9)
            let job = try await gallery.calibrate(falseMatchRate: 0.4)
            let failed = await #expect(throws: ClientError.self) { try await client.wait(for: job.id) }
            guard case .jobEnded(let ended) = failed else {
                Issue.record("found \(String(describing: failed))")
                return
            }
            #expect(ended.state == "failed" && ended.reason?.isEmpty == false)
            let grouping = try await client.wait(for: gallery.group(threshold: 0.5).id)
            #expect(grouping.state == "succeeded" && grouping.result?["count"]?.integer != nil)
            #expect(try await client.jobs(pageSize: 1).all().map(\.kind) == ["calibration", "grouping"])
            try await client.cancelJob(grouping.id)
            let forgotten = await #expect(throws: Problem.self) { try await client.job(grouping.id) }
            #expect(forgotten?.code == "job-not-found")
        }
    }

    @Test("an export is whole or not there, and imported it answers alike", arguments: ["tar", "ndjson"])
    func transfer(type: String) async throws {
        try await LiveServer.run { server in
            let client = try server.client()
            let gallery = try await client.createGallery("g")
            for car in 0..<3 { try await gallery.enrol("car-\(car)", .triple(triple(car))) }
            let file = server.folder.appendingPathComponent("export/g.\(type)")
            let folder = file.deletingLastPathComponent()
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let cut = try Client.impatient(Cutter(server.port, after: 700, .toClient).url)
            await #expect(throws: ClientError.self) { try await cut.gallery("g").export(to: file) }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
            try await gallery.export(to: file)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["g.\(type)"])
            let copy = try await client.createGallery("copy")
            let job = try await client.wait(for: copy.importFile(file).id)
            #expect(job.result?["enrolled"]?.integer == 6)
            #expect(try await copy.query(.triple(triple(2))).matches.first?.identity == "car-2")
            let missing = server.folder.appendingPathComponent("none.\(type)")
            await #expect(throws: ClientError.self) { try await copy.importFile(missing) }
        }
    }

    @Test("an upload in pieces goes on where a connection broke off, and is refused for another file")
    func pieces() async throws {
        try await LiveServer.run { server in
            let file = server.folder.appendingPathComponent("m.safetensors")
            let made = try await TinyModel.file(seed: 1)
            try made.data.write(to: file)
            let cutter = Cutter(server.port, after: made.data.count / 2, .toServer)
            let client = try Client.impatient(cutter.url)
            let upload = try await client.beginUpload(bytes: made.data.count, model: made.model)
            #expect(try await client.uploads() == [upload] && upload.offset == 0)
            let other = URL(fileURLWithPath: #filePath)
            await #expect(throws: ClientError.self) { try await client.resumeUpload(upload.id, from: other) }
            let model = try await client.resumeUpload(upload.id, from: file)
            #expect(model.model == made.model && model.bytes == made.data.count)
            #expect(try await client.uploads().isEmpty)
            let second = try await client.beginUpload(bytes: 9)
            try await client.abandonUpload(second.id)
            let gone = await #expect(throws: Problem.self) { try await client.upload(second.id) }
            #expect(gone?.code == "upload-not-found")
        }
    }

    @Test("several exemplars, several galleries, facets, an evaluation and a map")
    func analyses() async throws {
        try await LiveServer.run { server in
            let client = try server.client()
            for name in ["g", "h"] {
                let gallery = try await client.createGallery(name)
                for car in 0..<6 {
                    try await gallery.enrol(
                        "car-\(car / 2)", .triple(triple(car)), EnrolmentOptions(camera: "c\(car % 2)"))
                }
            }
            let gallery = client.gallery("g")
            let exemplars = try [QuerySubject.triple(triple(0)), .triple(triple(1))]
            let options = QueryOptions(byExemplar: true, score: .meanOfBest(2))
            let found = try await gallery.query(exemplars: exemplars, options)
            #expect(found.matches.first?.identity == "car-0" && found.matches.first?.counted == 2)
            #expect(found.matches.first?.byExemplar?.count == 2)
            let both = try await client.query(exemplars, in: ["g", "h"])
            #expect(Set(both.matches.prefix(2).compactMap(\.gallery)) == ["g", "h"])
            let facets = try await gallery.facets(ListFilter(camera: "c0"))
            #expect(facets.sightings == 3 && facets.cameras.items.map(\.camera) == ["c0"])
            let latest = try await gallery.identities(by: .lastSeen).all()
            #expect(latest.map(\.id) == ["car-2", "car-1", "car-0"] && latest.allSatisfy { $0.lastSeen != nil })
            _ = try await client.wait(for: gallery.evaluate().id)
            let evaluation = try await gallery.evaluation()
            #expect(evaluation.samples == 6 && evaluation.all.queries == 6 && !evaluation.stale)
            _ = try await client.wait(for: gallery.makeMap().id)
            #expect(try await gallery.map(limit: 4).items.count == 4)
        }
    }

    @Test("an upload that is cut off comes again, and a model takes over while its activation is followed")
    func models() async throws {
        try await LiveServer.run { server in
            let file = server.folder.appendingPathComponent("m.safetensors")
            let made = try await TinyModel.file(seed: 1)
            try made.data.write(to: file)
            let cutter = Cutter(server.port, after: made.data.count / 2, .toServer)
            let client = try Client.impatient(cutter.url)
            let model = try await client.uploadModel(file)
            #expect(model.model == made.model && !model.active && model.bytes == made.data.count && model.selfTested)
            #expect(try await client.models(pageSize: 1).all().map(\.model).contains(made.model))
            var states: [String] = []
            let job = try await client.wait(for: client.activate(made.model).id) { states.append($0.state) }
            #expect(job.kind == "activation" && states.last == "succeeded")
            #expect(try await client.model(made.model).active)
            let active = await #expect(throws: Problem.self) { try await client.eraseModel(made.model) }
            #expect(active?.code == "model-active")
            let text = server.folder.appendingPathComponent("text.safetensors")
            try Data("no model".utf8).write(to: text)
            let refused = await #expect(throws: Problem.self) { try await client.uploadModel(text) }
            #expect(refused?.code == "model-refused" && refused?.status == 422)
        }
    }

    @Test("a wrong key, one for something else and a revoked one are told apart, also while something large is sent")
    func keys() async throws {
        try await LiveServer.run { server in
            let admin = try await server.client().createKey(NewKey(name: "first", role: "admin"))
            let client = try server.client(key: admin.token)
            #expect(try await server.client().ready().model == nil)
            try await client.createGallery("g")
            let gate = NewKey(
                name: "gate", role: "enrol", galleries: ["g"], requestsPerMinute: 60, expiresAt: Date() + 86_400)
            let made = try await client.createKey(gate)
            let limited = try server.client(key: made.token)
            _ = try await limited.gallery("g").summary()
            #expect(limited.rateLimit?.perMinute == 60)
            let access = try await limited.access()
            #expect(access.id == made.key.id && access.role == "enrol" && access.galleries == ["g"])
            #expect(!access.operations.contains("DELETE /v1/galleries/{gallery}"))
            #expect(try await client.access().operations.contains("DELETE /v1/galleries/{gallery}"))
            let other = await #expect(throws: Problem.self) { try await limited.gallery("h").summary() }
            #expect(other?.status == 403 && other?.code == "other-gallery")
            let file = server.folder.appendingPathComponent("large.ndjson")
            try Data(repeating: UInt8(ascii: " "), count: 20_000_000).write(to: file)
            let wrong = try server.client(key: "triptych_0")
            let refused = await #expect(throws: Problem.self) { try await wrong.gallery("g").importFile(file) }
            #expect(refused?.status == 401 && refused?.code == "unauthenticated")
            #expect(try await client.revokeKey(made.key.id).revokedAt != nil)
            let revoked = await #expect(throws: Problem.self) { try await limited.gallery("g").summary() }
            #expect(revoked?.status == 401)
            #expect(try await client.keys().map(\.name) == ["first", "gate"])
            #expect(try await client.key(made.key.id).galleries == ["g"])
            let actions = try await client.audit(pageSize: 2).all().map(\.action)
            #expect(actions.contains("key-created") && actions.contains("key-revoked"))
            let hook = await #expect(throws: Problem.self) { try await client.createWebhook("https://a.example") }
            #expect(hook?.code == "webhooks-off")
            #expect(try await client.webhooks().isEmpty)
            #expect(try await client.metrics().contains("triptych_sightings"))
        }
    }
}
