extension VehiclePainter {
    /// The panels that run across the vehicle, those nearer the camera over those farther away.
    func paintShell(on canvas: inout Canvas) {
        let runs = shape.profile.runs
        for run in projection.seesFront ? runs : runs.reversed() {
            paintStrips(of: run, on: &canvas)
            switch run.panel {
            case .windscreen, .rearGlass: paintScreen(run, on: &canvas)
            case .deck where identity.body == .pickup: paintBed(run, on: &canvas)
            case .frontEnd where projection.seesFront: paintFront(on: &canvas)
            case .rearEnd where !projection.seesFront: paintRear(on: &canvas)
            case .rearEnd, .deck, .roof, .bonnet, .frontEnd, .bulkhead: break
            }
        }
    }

    /// The run as strips, each lit according to its slope; together they look round.
    ///
    /// The run as a whole goes beneath them, so that no seam shows where two strips each cover half a pixel.
    private func paintStrips(of run: Profile.Run, on canvas: inout Canvas) {
        let surface = run.panel == .roof && identity.body != .truck ? materials.roof : materials.body
        let strips = zip(run.line, run.line.dropFirst()).filter { isVisible($0, Self.normal($0, $1)) }
        guard let first = strips.first, let last = strips.last else { return }
        let line = [first.0] + strips.map { $0.1 }
        fillShell(band(line), with: lit(surface, Self.normal(first.0, last.1)), on: &canvas)
        for (rear, front) in strips {
            fillShell(band([rear, front]), with: lit(surface, Self.normal(rear, front)), on: &canvas)
        }
    }

    /// Upright surfaces mirror the ground, level ones the sky: warm under the sun, cold at night.
    private func lit(_ surface: Spectrum, _ normal: Point3) -> Brush {
        let excess = (conditions.isNight ? -3 : 2) * max(0, normal.y)
        return .solid(surface.at(celsius: surface.bands[4] + excess).lit(conditions.shade(normal)))
    }

    /// Across the shell along a part of the outline, reaching a little under the near side, which is painted later.
    private func band(_ line: [Point]) -> Path {
        projection.path(line.map { shape.across($0, 1.02) } + line.reversed().map { shape.across($0, -1) })
    }

    /// Outwards from the outline between two of its points.
    private static func normal(_ rear: Point, _ front: Point) -> Point3 {
        normalized(Point3(rear.y - front.y, front.x - rear.x, 0))
    }

    private func isVisible(_ point: Point, _ normal: Point3) -> Bool {
        dot(normal, projection.eye - shape.across(point, 0)) > 0
    }

    /// Glass within the frame that the run's own panel makes.
    private func paintScreen(_ run: Profile.Run, on canvas: inout Canvas) {
        guard let path = inset(run, from: 0.1, to: 0.93, across: 0.86) else { return }
        let corners = path.contours[0]
        let gradient = LinearGradient(
            start: corners.min { $0.y < $1.y } ?? .zero, end: corners.max { $0.y < $1.y } ?? .zero,
            stops: [(0, materials.glassSky), (0.55, materials.glass), (1, materials.glass)])
        canvas.fill(path, with: .linear(gradient))
    }

    private func paintBed(_ run: Profile.Run, on canvas: inout Canvas) {
        guard let path = inset(run, from: 0.04, to: 0.97, across: 0.9) else { return }
        canvas.fill(path, with: .solid(materials.trim.lit(0.6)))
    }

    /// The part of a run between two fractions of its height or length, narrowed; `nil` if it faces away.
    private func inset(_ run: Profile.Run, from: Float, to: Float, across: Float) -> Path? {
        let (first, last) = (run.line[0], run.line[run.line.count - 1])
        let along = last - first
        guard isVisible(first, Self.normal(first, last)) else { return nil }
        let line = stride(from: from, through: to, by: (to - from) / 6).map { first + along * $0 }
        return projection.path(
            line.map { shape.across($0, across) } + line.reversed().map { shape.across($0, -across) })
    }

    /// Two bars across the roof, or what little one sees of them from below.
    func paintRack(on canvas: inout Canvas) {
        guard identity.visible.marking == .roofRack else { return }
        for (x, rail) in [
            (shape.rack.lowerBound, false), (shape.rack.upperBound, false), (shape.rack.lowerBound, true),
        ] {
            let top = shape.height + 0.12
            let from = shape.across(Point(x, shape.height), 1) * Point3(1, 0, 1) + Point3(0, top, 0)
            let to = rail ? Point3(from.x + shape.rack.upperBound - x, top, from.z) : from * Point3(1, 1, -1)
            let width = 0.07 * projection.pixelsPerMetre(at: from)
            let bar = Path.stroke([projection.pixel(from), projection.pixel(to)], width: width)
            let foot = Path.stroke([projection.pixel(from), projection.pixel(from - Point3(0, 0.16, 0))], width: width)
            canvas.fill(bar, with: .solid(materials.metal))
            canvas.fill(foot, with: .solid(materials.gap))
        }
    }
}
