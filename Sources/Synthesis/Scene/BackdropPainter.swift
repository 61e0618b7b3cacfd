import Randomness

/// Paints what is around the vehicles that pass a camera: sky, road, and what stands beyond it.
struct BackdropPainter {
    let camera: CameraProfile
    let conditions: SightingConditions
    let projection: Projection
    /// Draws what belongs to the camera's place, and so is the same for all its sightings.
    var place: SplitMix64
    private let grainSeed: UInt64
    private let grainScale: Float

    init(_ camera: CameraProfile, _ conditions: SightingConditions, _ projection: Projection, seed: UInt64) {
        self.camera = camera
        self.conditions = conditions
        self.projection = projection
        place = SplitMix64(seed: seed, purpose: .backdrop, camera.number)
        grainSeed = place.next()
        grainScale = projection.pixelsPerMetre(at: .zero)
    }

    mutating func paint(on canvas: inout Canvas) {
        paintSky(on: &canvas)
        paintGround(on: &canvas)
        switch camera.surroundings {
        case .terrace: paintTerrace(on: &canvas)
        case .hedge: paintHedge(on: &canvas)
        case .carPark: paintCarPark(on: &canvas)
        case .motorway: paintMotorway(on: &canvas)
        }
    }

    /// The day warms stone and asphalt; at night they are little above the air.
    func stone(_ red: Float, _ green: Float, _ blue: Float, nir: Float, warm: Float) -> Spectrum {
        Spectrum(red, green, blue, nir: nir, celsius: conditions.air + (conditions.isNight ? 0.35 : 1) * warm)
    }

    /// Leaves are dark to the eye and bright in the near infrared, and never far from the air's temperature.
    func leaves(_ brightness: Float) -> Spectrum {
        let green = Spectrum(0.05, 0.085, 0.025, nir: 0.5, celsius: conditions.air - 2)
        return green.lit(brightness)
    }

    func grained(_ surface: Spectrum, _ metres: Point, _ contrast: Float) -> Brush {
        .grained(surface, grain: Grain(seed: grainSeed, scale: metres * grainScale, contrast: contrast, kelvin: 1))
    }

    private func paintSky(on canvas: inout Canvas) {
        let (width, height) = (Float(canvas.width), Float(canvas.height))
        let top = Spectrum(0.2, 0.36, 0.68, nir: 0.1, celsius: conditions.air - 30)
        let horizon = Spectrum(0.62, 0.7, 0.78, nir: 0.25, celsius: conditions.air - 16)
        let gradient = LinearGradient(start: .zero, end: Point(0, height * 0.6), stops: [(0, top), (1, horizon)])
        canvas.fill(.rectangle(0...width, 0...height), with: .linear(gradient))
    }

    private func paintGround(on canvas: inout Canvas) {
        let asphalt = stone(0.105, 0.105, 0.11, nir: 0.17, warm: 7)
        slab(-80...(-2.2), grained(verge, Point(0.5, 0.1), 0.12), on: &canvas)
        slab(-2.3...12, grained(asphalt, Point(0.7, 0.12), 0.1), on: &canvas)
        paintRoadEdge(on: &canvas)
        for x in stride(from: Float(-12), through: 12, by: 4) where camera.surroundings != .carPark {
            quad(x...(x + 2), y: nil, 1.9...2.02, .solid(roadPaint), on: &canvas)
        }
    }

    /// What is between the road and the things beyond it.
    private var verge: Spectrum {
        switch camera.surroundings {
        case .terrace: stone(0.3, 0.28, 0.26, nir: 0.34, warm: 4)
        case .hedge: leaves(1.3)
        case .carPark: stone(0.2, 0.2, 0.21, nir: 0.26, warm: 5)
        case .motorway: stone(0.24, 0.23, 0.16, nir: 0.38, warm: 2)
        }
    }

    private var roadPaint: Spectrum {
        stone(0.5, 0.5, 0.47, nir: 0.5, warm: 4)
    }

    private func paintRoadEdge(on canvas: inout Canvas) {
        switch camera.surroundings {
        case .terrace, .hedge:
            slab(-2.45...(-2.2), .solid(stone(0.36, 0.35, 0.33, nir: 0.4, warm: 5)), on: &canvas)
        case .motorway:
            slab(-1.9...(-1.75), .solid(roadPaint), on: &canvas)
        case .carPark:
            for x in stride(from: Float(-13.1), through: 12, by: 5.6) {
                quad(x...(x + 0.12), y: nil, -5...1.5, .solid(roadPaint), on: &canvas)
            }
        }
    }

    /// A stretch of ground along the whole road.
    private func slab(_ z: ClosedRange<Float>, _ brush: Brush, on canvas: inout Canvas) {
        quad(-80...80, y: nil, z, brush, on: &canvas)
    }

    /// A rectangle that lies on the ground (`y` is `nil`) or stands upright at `z`.
    func quad(
        _ x: ClosedRange<Float>, y: ClosedRange<Float>?, _ z: ClosedRange<Float>, _ brush: Brush,
        on canvas: inout Canvas
    ) {
        let (bottom, top) = (y?.lowerBound ?? 0, y?.upperBound ?? 0)
        let corners = [
            Point3(x.lowerBound, bottom, z.upperBound), Point3(x.upperBound, bottom, z.upperBound),
            Point3(x.upperBound, top, z.lowerBound), Point3(x.lowerBound, top, z.lowerBound),
        ]
        canvas.fill(projection.path(corners), with: brush)
    }

    func crown(_ centre: Point3, _ radius: Float, _ surface: Spectrum, on canvas: inout Canvas) {
        let pixels = radius * projection.pixelsPerMetre(at: centre)
        let brush = grained(surface, Point(0.25, 0.22), 0.4)
        canvas.fill(.ellipse(projection.pixel(centre), Point(repeating: pixels)), with: brush)
    }
}
