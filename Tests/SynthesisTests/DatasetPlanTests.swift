import Synthesis
import Testing

struct DatasetPlanTests {
    private func entries(identities: Int = 10, cameras: Int = 3, sightings: Int) throws -> [DatasetPlan.Entry] {
        let plan = DatasetPlan(
            try SynthesisParameters(
                identities: identities, cameras: cameras, sightings: sightings, height: 16, width: 16, seed: 1))
        return (0..<plan.count).map { plan[$0] }
    }

    @Test("Vehicles for training and for testing are different ones")
    func disjoint() throws {
        let entries = try entries(sightings: 2)
        let train = Set(entries.filter { $0.split == .train }.map(\.identity))
        let test = Set(entries.filter { $0.split != .train }.map(\.identity))
        #expect(train == Set(1...7))
        #expect(test == Set(8...10))
    }

    @Test("Each camera gives one query a vehicle, and the rest is gallery")
    func queries() throws {
        let test = try entries(sightings: 3).filter { $0.split != .train }
        for camera in 1...3 {
            for identity in 8...10 {
                let here = test.filter { $0.identity == identity && $0.camera == camera }
                #expect(here.count { $0.split == .query } == 1)
                #expect(here.count { $0.split == .gallery } == 2)
            }
        }
    }

    @Test("With one sighting a camera, every query still has a match by another camera")
    func singleSighting() throws {
        let test = try entries(sightings: 1).filter { $0.split != .train }
        for identity in 8...10 {
            let own = test.filter { $0.identity == identity }
            #expect(own.count { $0.split == .query } == 1)
            #expect(own.count { $0.split == .gallery } == 2)
        }
        #expect(Set(test.filter { $0.split == .query }.map(\.camera)).count == 3)
    }

    @Test("Names carry identity, camera and sighting in 4, 1 and 3 digits, and are unique")
    func names() throws {
        let entries = try entries(sightings: 2)
        #expect(entries.first?.path("nir") == "train/nir/0001_c1_001.jpg")
        #expect(entries.last?.path("tir") == "gallery/tir/0010_c3_002.jpg")
        #expect(Set(entries.map { $0.path("rgb") }).count == 60)
    }
}
