import Foundation
import Gallery
import Inference
import Serving
import ServingFixtures
import Testing

@Suite("Frames with boxes, without HTTP")
struct BoxTests {
    private func enrol(_ identity: String, _ images: [Modality: SentImage], _ world: World) async throws -> String {
        try await world.stack.enrolment.enrol(NewSighting(identity: identity, images: images), in: "g").sighting.id
    }

    @Test("a model that comes later sees in kept frames what their boxes show, to the bit")
    func swap() async throws {
        try await World.run { world in
            let (gallery, frames) = (world.stack.gallery, [try Frame(1), try Frame(2)])
            _ = try await gallery.createGallery("g")
            let box = try #require(PixelBox(frames[0].box))
            let boxed = try await enrol(
                "boxed", [.rgb: SentImage(frames[0].file, box: box), .tir: SentImage(frames[1].file, box: box)], world)
            let cropped = try await enrol(
                "cropped", [.rgb: SentImage(frames[0].crop), .tir: SentImage(frames[1].crop)], world)
            let whole = try await enrol(
                "whole", [.rgb: SentImage(frames[0].file), .tir: SentImage(frames[1].file)], world)
            let before = world.stack.registry.active.model
            let model = try await world.publish(seed: 1)
            #expect(try await world.activate(model).record.state == .succeeded)
            for model in [before, model] {
                let found = try #require(try await gallery.embedding(of: boxed, in: "g", model: model))
                #expect(try await gallery.embedding(of: cropped, in: "g", model: model) == found)
                #expect(try await gallery.embedding(of: whole, in: "g", model: model) != found)
            }
        }
    }

    @Test("a repetition with another box is another request")
    func idempotency() async throws {
        try await World.run { world in
            _ = try await world.stack.gallery.createGallery("g")
            let frame = try Frame(1)
            func enrol(_ box: [Int]?) async throws -> EnrolmentReceipt {
                var sighting = NewSighting(
                    identity: "a", images: [.rgb: SentImage(frame.file, box: box.flatMap { PixelBox($0) })])
                sighting.idempotencyKey = "k"
                return try await world.stack.enrolment.enrol(sighting, in: "g")
            }
            #expect(try await !enrol(frame.box).isReplay)
            #expect(try await enrol(frame.box).isReplay)
            for other in [nil, [5, 9, 24, 15]] {
                await #expect(throws: GalleryError.idempotencyConflict(key: "k")) { try await enrol(other) }
            }
        }
    }
}
