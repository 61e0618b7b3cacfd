import Imaging
import Synthesis
import Testing

struct RendererTests {
    private func renderer(height: Int = 32, width: Int = 64, seed: UInt64 = 11) throws -> SceneRenderer {
        let parameters = try SynthesisParameters(
            identities: 100, cameras: 4, sightings: 3, height: height, width: width, seed: seed)
        return SceneRenderer(parameters)
    }

    private func render(_ renderer: SceneRenderer, _ identity: Int, _ camera: Int, _ sighting: Int) -> RenderedTriple {
        renderer.render(
            identity: VehicleIdentity(number: identity, seed: renderer.parameters.seed),
            camera: CameraProfile(number: camera, seed: renderer.parameters.seed), sighting: sighting)
    }

    private func mean(_ image: Image) -> Double {
        Double(image.pixels.reduce(0) { $0 + Int($1) }) / Double(image.pixels.count)
    }

    private func average(_ values: [Double]) -> Double {
        values.reduce(0, +) / Double(max(values.count, 1))
    }

    /// The mean level in one modality over the daytime sightings of the vehicles that are `wanted`.
    private func level(of image: (RenderedTriple) -> Image, _ wanted: (VehicleIdentity) -> Bool) throws -> Double {
        let renderer = try renderer()
        let vehicles = (1...100).map { VehicleIdentity(number: $0, seed: 11) }.filter { $0.body == .saloon }
        return average(vehicles.filter(wanted).map { mean(image(render(renderer, $0.number, 1, 1))) })
    }

    @Test("Equal arguments give equal pictures; another seed, vehicle, camera or sighting gives others")
    func determinism() throws {
        let renderer = try renderer()
        let triple = render(renderer, 1, 1, 1)
        #expect(triple == render(renderer, 1, 1, 1))
        let others = [
            render(try self.renderer(seed: 12), 1, 1, 1), render(renderer, 2, 1, 1), render(renderer, 1, 2, 1),
            render(renderer, 1, 1, 2),
        ]
        for other in others {
            #expect(other.rgb != triple.rgb)
            #expect(other.nir != triple.nir)
            #expect(other.tir != triple.tir)
        }
    }

    @Test("Any size works", arguments: [(16, 16), (17, 31), (48, 96), (96, 33), (128, 256)])
    func sizes(height: Int, width: Int) throws {
        let triple = render(try renderer(height: height, width: width), 5, 2, 1)
        for (image, channels) in [(triple.rgb, 3), (triple.nir, 1), (triple.tir, 1)] {
            #expect(image.width == width && image.height == height && image.channels == channels)
            let spread = Int(image.pixels.max() ?? 0) - Int(image.pixels.min() ?? 0)
            #expect(spread > 60)
        }
    }

    @Test("A third of the sightings are at night")
    func nightShare() throws {
        let renderer = try renderer()
        let nights = (1...100).flatMap { number in
            (1...4).flatMap { camera in
                (1...3).map { sighting in
                    renderer.isNight(
                        identity: VehicleIdentity(number: number, seed: 11),
                        camera: CameraProfile(number: camera, seed: 11), sighting: sighting)
                }
            }
        }
        #expect(nights.count { $0 } == nights.count / 3)
    }

    @Test("Night takes the light from RGB, but not from the other two modalities")
    func night() throws {
        let renderer = try renderer()
        var (day, night): ([RenderedTriple], [RenderedTriple]) = ([], [])
        for number in 1...12 {
            let identity = VehicleIdentity(number: number, seed: 11)
            for sighting in 1...3 {
                let isNight = renderer.isNight(
                    identity: identity, camera: CameraProfile(number: 1, seed: 11), sighting: sighting)
                let triple = render(renderer, number, 1, sighting)
                if isNight { night.append(triple) } else { day.append(triple) }
            }
        }
        #expect(average(night.map { mean($0.rgb) }) < 0.5 * average(day.map { mean($0.rgb) }))
        #expect(average(night.map { mean($0.nir) }) > 0.7 * average(day.map { mean($0.nir) }))
        #expect(average(night.map { mean($0.tir) }) > 0.7 * average(day.map { mean($0.tir) }))
    }

    @Test("Coatings show in the near infrared, and heat in the thermal band")
    func attributes() throws {
        let bright = try level(of: \.nir) { $0.infrared.coating == .bright }
        let absorbing = try level(of: \.nir) { $0.infrared.coating == .absorbing }
        #expect(bright > absorbing + 25)
        let hot = try level(of: \.tir) { $0.thermal.powertrain == .frontHot }
        let cool = try level(of: \.tir) { $0.thermal.powertrain == .cool }
        #expect(hot > cool + 5)
    }

    @Test("Neither coating nor heat shows in RGB")
    func independence() throws {
        let renderer = try renderer(seed: 11)
        let camera = CameraProfile(number: 1, seed: 11)
        var levels: [Double] = []
        for number in 1...100 {
            let vehicle = VehicleIdentity(number: number, seed: 11)
            guard vehicle.visible.paint == .white, vehicle.visible.marking == .none, vehicle.body == .saloon else {
                continue
            }
            guard !renderer.isNight(identity: vehicle, camera: camera, sighting: 1) else { continue }
            levels.append(mean(render(renderer, number, 1, 1).rgb))
        }
        #expect(levels.count > 2)
        #expect((levels.max() ?? 0) - (levels.min() ?? 0) < 40)
    }
}
