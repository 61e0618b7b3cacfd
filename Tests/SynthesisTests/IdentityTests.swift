import Synthesis
import Testing

struct IdentityTests {
    private let vehicles = (1...60).map { VehicleIdentity(number: $0, seed: 3) }

    /// The share of vehicles that some other vehicle equals in `look`.
    private func shared(_ look: (VehicleIdentity) -> AnyHashable) -> Double {
        let counts = Dictionary(grouping: vehicles, by: look).mapValues(\.count)
        return Double(vehicles.count { counts[look($0), default: 0] > 1 }) / Double(vehicles.count)
    }

    @Test("In any one modality many vehicles look like another one")
    func oneModality() {
        #expect(shared { [AnyHashable($0.body), AnyHashable($0.visible)] } > 0.3)
        #expect(shared { [AnyHashable($0.body), AnyHashable($0.infrared)] } > 0.4)
        #expect(shared { [AnyHashable($0.body), AnyHashable($0.thermal)] } > 0.3)
    }

    @Test("Hardly two vehicles look alike in all three modalities")
    func allModalities() {
        let share = shared {
            [AnyHashable($0.body), AnyHashable($0.visible), AnyHashable($0.infrared), AnyHashable($0.thermal)]
        }
        #expect(share < 0.1)
    }

    @Test("A vehicle is the same whenever it is asked for, and another under another seed")
    func repeatable() {
        #expect(VehicleIdentity(number: 7, seed: 3) == vehicles[6])
        #expect((1...60).map { VehicleIdentity(number: $0, seed: 4) } != vehicles)
    }

    @Test("Every body, paint, coating and powertrain occurs among many vehicles")
    func allValues() {
        let many = (1...600).map { VehicleIdentity(number: $0, seed: 1) }
        #expect(Set(many.map(\.body)).count == BodyKind.allCases.count)
        #expect(Set(many.map(\.visible.paint)).count == VisibleLook.Paint.allCases.count)
        #expect(Set(many.map(\.visible.marking)).count == VisibleLook.Marking.allCases.count)
        #expect(Set(many.map(\.infrared.coating)).count == InfraredLook.Coating.allCases.count)
        #expect(Set(many.map(\.thermal.powertrain)).count == ThermalLook.Powertrain.allCases.count)
    }

    @Test("Cameras differ in surroundings and see both fronts and rears")
    func cameras() {
        let cameras = (1...4).map { CameraProfile(number: $0, seed: 3) }
        #expect(Set(cameras.map(\.surroundings)).count == 4)
        #expect(cameras.contains { $0.azimuth > 0 } && cameras.contains { $0.azimuth < 0 })
        #expect(cameras.contains { $0.facesLeft } && cameras.contains { !$0.facesLeft })
        #expect(CameraProfile(number: 2, seed: 3) == cameras[1])
    }
}
