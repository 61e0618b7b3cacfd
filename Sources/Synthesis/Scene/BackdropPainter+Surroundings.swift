extension BackdropPainter {
    /// A street of brick houses.
    mutating func paintTerrace(on canvas: inout Canvas) {
        let red = place.uniform(0.16...0.34)
        let wall = stone(red, place.uniform(0.11...0.17), 0.09, nir: place.uniform(0.25...0.42), warm: 4)
        quad(-30...30, y: 0...9, -5.5...(-5.5), grained(wall, Point(0.8, 0.4), 0.1), on: &canvas)
        quad(-30...30, y: 0...0.45, -5.45...(-5.45), .solid(wall.lit(0.6)), on: &canvas)
        for x in stride(from: Float(-14) + place.uniform(0...1), through: 14, by: 2.6) {
            paintOpening(at: x, on: &canvas)
        }
    }

    /// A window or a door of the terrace.
    private mutating func paintOpening(at x: Float, on canvas: inout Canvas) {
        let isDoor = place.chance(0.25)
        let bottom: Float = isDoor ? 0.05 : 1.05
        let pane = Spectrum(0.05, 0.06, 0.075, nir: 0.08, celsius: conditions.air + place.uniform(-4...3))
        let leaf = stone(place.uniform(0.05...0.3), 0.08, place.uniform(0.05...0.2), nir: 0.3, warm: 4)
        let frame = stone(0.6, 0.58, 0.52, nir: 0.55, warm: 3)
        quad(x...(x + 1.3), y: bottom...2.5, -5.4...(-5.4), .solid(frame), on: &canvas)
        let leafOrPane = Brush.solid(isDoor ? leaf : pane)
        quad((x + 0.1)...(x + 1.2), y: (bottom + 0.08)...2.4, -5.38...(-5.38), leafOrPane, on: &canvas)
    }

    /// A hedge behind a grass verge, and trees behind it.
    mutating func paintHedge(on canvas: inout Canvas) {
        quad(-60...60, y: 0...3.4, -11.5...(-11.5), grained(leaves(0.55), Point(0.5, 0.5), 0.4), on: &canvas)
        for x in stride(from: Float(-30), through: 30, by: 2.4) {
            crown(Point3(x + place.uniform(-0.6...0.6), place.uniform(3...4.5), -11), 2.3, leaves(0.7), on: &canvas)
        }
        let height = place.uniform(1.3...1.9)
        quad(-30...30, y: 0...height, -4.6...(-4.6), grained(leaves(0.9), Point(0.22, 0.2), 0.45), on: &canvas)
        for x in stride(from: Float(-14), through: 14, by: 0.62) {
            let top = height + place.uniform(-0.16...0.06)
            crown(Point3(x, top, -4.6), place.uniform(0.34...0.5), leaves(place.uniform(0.85...1.2)), on: &canvas)
        }
    }

    /// Parking bays before a low wall, with an office block beyond.
    mutating func paintCarPark(on canvas: inout Canvas) {
        let tone = place.uniform(0.25...0.4)
        let far = stone(tone * 0.9, tone * 0.95, tone, nir: 0.35, warm: 3)
        quad(-40...40, y: 0...7, -18...(-18), .solid(far), on: &canvas)
        for y in stride(from: Float(1.6), through: 7, by: 1.7) {
            quad(
                -40...40, y: y...(y + 0.8), -17.9...(-17.9), .solid(stone(0.07, 0.08, 0.1, nir: 0.1, warm: -4)),
                on: &canvas)
        }
        let wall = stone(0.34, 0.33, 0.31, nir: 0.4, warm: 5)
        quad(
            -30...30, y: 0...place.uniform(0.9...1.2), -5.5...(-5.5), grained(wall, Point(0.9, 0.5), 0.08), on: &canvas)
        for x in stride(from: Float(-15) + place.uniform(0...3), through: 15, by: 4.4) {
            quad(x...(x + 0.5), y: 0...5, -5.4...(-5.4), .solid(wall.lit(0.75)), on: &canvas)
        }
    }

    /// A crash barrier, and woods far behind.
    mutating func paintMotorway(on canvas: inout Canvas) {
        for x in stride(from: Float(-60), through: 60, by: 3) {
            crown(Point3(x, place.uniform(1...2.4), -38), place.uniform(2.4...3.6), leaves(0.6), on: &canvas)
        }
        let steel = stone(0.36, 0.37, 0.38, nir: 0.45, warm: 3)
        for x in stride(from: Float(-16) + place.uniform(0...2), through: 16, by: 2) {
            quad(x...(x + 0.12), y: 0...0.75, -3.3...(-3.3), .solid(steel.lit(0.55)), on: &canvas)
        }
        quad(-30...30, y: 0.48...0.63, -3.28...(-3.28), .solid(steel.lit(0.8)), on: &canvas)
        quad(-30...30, y: 0.63...0.8, -3.28...(-3.28), .solid(steel), on: &canvas)
    }
}
