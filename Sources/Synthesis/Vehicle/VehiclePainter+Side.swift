extension VehiclePainter {
    /// The near side: its paint and markings, then what is set into it.
    func paintSide(on canvas: inout Canvas) {
        let side = shape.side
        // Paint and cladding hardly overlap, lest the one shines through the other's smooth lower edge.
        let painted = side.clipped { $0.y - shape.claddingTop + 0.04 }
        fillShell(onSide(painted), with: lit(materials.body), on: &canvas)
        paintMarkings(painted, on: &canvas)
        paintBends(painted, on: &canvas)
        let cladding = side.clipped { shape.claddingTop - $0.y }
        fillShell(onSide(cladding), with: .solid(materials.trim.lit(0.9)), on: &canvas)
        paintWindows(on: &canvas)
        paintSideLamps(side, on: &canvas)
        paintShutLines(on: &canvas)
    }

    /// The gaps around doors and other panels: hairlines, but never so thin that they vanish from small pictures.
    private func paintShutLines(on canvas: inout Canvas) {
        let scale = projection.pixelsPerMetre(at: Point3(0, 0.7, shape.width / 2))
        let line = Brush.solid(materials.gap, opacity: .opacity(visible: 0.75, nir: 0.7, tir: 0.15))
        for points in shape.shutLines {
            let path = Path.subdivide(points, 0.3).map { projection.pixel(shape.onSide($0)) }
            canvas.fill(.stroke(path, width: max(0.022 * scale, 0.35)), with: line)
        }
    }

    /// A surface on the side: darker towards the sill, brightest at the shoulder, where it mirrors the sky.
    private func lit(_ surface: Spectrum) -> Brush {
        let shade = conditions.shade(Point3(0, 0, 1)) * 0.55 + 0.45
        let sky = Spectrum(0.5, 0.55, 0.62, nir: surface.bands[3], celsius: surface.bands[4])
        let glossy = surface.covered(by: sky, .opacity(visible: 0.13, nir: 0, tir: 0))
        let middle = shape.length / 2
        let top = shape.belt / shape.height
        return .linear(
            LinearGradient(
                start: projection.pixel(shape.onSide(Point(middle, 0))),
                end: projection.pixel(shape.onSide(Point(middle, shape.height))),
                stops: [
                    (0.1, surface.lit(0.6 * shade)), (top * 0.62, surface.lit(0.92 * shade)),
                    (top * 0.68, surface.lit(1.02 * shade)), (top * 0.9, glossy.lit(1.1 * shade)),
                    (top, surface.lit(0.9 * shade)), (1, surface.lit(1.05 * shade)),
                ]))
    }

    /// The ends curve away from the side; they are lit more like the front or rear than like the side.
    private func paintBends(_ side: Path, on canvas: inout Canvas) {
        for front in [false, true] {
            let shade = conditions.shade(normalized(Point3(front ? 1 : -1, 0, 0.6))) / conditions.shade(Point3(0, 0, 1))
            let cover = Spectrum(grey: shade < 1 ? 0 : 0.8, nir: shade < 1 ? 0 : 0.8, celsius: 0)
            let strength = min(abs(shade - 1), 0.5) * 1.6 * (front ? shape.bend.front : shape.bend.rear)
            for depth in [Float(0.4), 0.25, 0.12] {
                let limit = front ? shape.length - depth : depth
                let end = side.clipped { front ? $0.x - limit : limit - $0.x }
                canvas.fill(
                    onSide(end), with: .solid(cover, opacity: .opacity(visible: strength, nir: strength, tir: 0)))
            }
        }
    }

    private func paintMarkings(_ side: Path, on canvas: inout Canvas) {
        switch identity.visible.marking {
        case .none, .roofRack: break
        case .contrastRoof:
            let edge = identity.body == .truck ? 2.05 : shape.belt
            fillInk(side.clipped { $0.y - edge }, on: &canvas)
        case .twoTone:
            let edge = mix(shape.claddingTop, shape.belt, 0.62)
            fillInk(side.clipped { edge - $0.y }, on: &canvas)
        case .stripe:
            let edge = mix(shape.claddingTop, shape.belt, 0.45)
            fillInk(side.clipped { $0.y - edge }.clipped { edge + 0.2 - $0.y }, on: &canvas)
        case .patch:
            let (centre, radii) = (shape.patch, Point(0.55, 0.23))
            let corners = [Point(-1, -1), Point(1, -1), Point(1, 1), Point(-1, 1)].map { centre + radii * $0 }
            fillInk(.rounded(corners, radius: 0.1), on: &canvas)
            let bar = Path.rectangle((centre.x - 0.35)...(centre.x + 0.35), (centre.y - 0.05)...(centre.y + 0.05))
            canvas.fill(onSide(bar), with: .solid(materials.body, opacity: .opacity(visible: 0.8, nir: 0, tir: 0)))
        }
    }

    private func fillInk(_ path: Path, on canvas: inout Canvas) {
        guard case .linear(var gradient) = lit(materials.ink) else { return }
        gradient.opacity = materials.inkOpacity
        canvas.fill(onSide(path.subdivided(0.25)), with: .linear(gradient))
    }

    private func paintWindows(on canvas: inout Canvas) {
        for window in shape.windows {
            let frame = onSide(.rounded(window, radius: 0.09))
            let (low, high) = (window[0], window[window.count - 1])
            let gradient = LinearGradient(
                start: projection.pixel(shape.onSide(Point(low.x, low.y))),
                end: projection.pixel(shape.onSide(Point(low.x + 0.25, high.y))),
                stops: [
                    (0.1, materials.glass), (0.55, materials.glass), (0.6, materials.glassSky), (1, materials.glassSky),
                ])
            canvas.fill(frame, with: .linear(gradient))
            paintSeat(behind: window, on: &canvas)
        }
    }

    /// Clear glass lets a head-rest be seen, privacy glass does not.
    private func paintSeat(behind window: [Point], on canvas: inout Canvas) {
        let middle = window.reduce(.zero, +) / Float(window.count)
        let corners = [Point(-0.2, -0.5), Point(0.02, -0.5), Point(0.06, 0.02), Point(-0.12, 0.08)]
        let floor = window.map(\.y).min() ?? 0
        let seat = Path.rounded(corners.map { middle + $0 }, radius: 0.06).clipped { $0.y - floor }
        let opacity: Float = identity.infrared.glazing == .clear ? 0.6 : 0.1
        canvas.fill(
            onSide(seat), with: .solid(materials.gap, opacity: .opacity(visible: opacity / 2, nir: opacity, tir: 0)))
    }

    private func paintSideLamps(_ side: Path, on canvas: inout Canvas) {
        let (length, head, tail) = (shape.length, shape.headLamp, shape.tailLamp)
        let front = side.clipped { $0.x - length + 0.3 }.clipped { $0.y - head + 0.06 }.clipped { head + 0.09 - $0.y }
        canvas.fill(onSide(front), with: .solid(materials.headLamp))
        let rear = side.clipped { 0.2 - $0.x }.clipped { $0.y - tail + 0.13 }.clipped { tail + 0.1 - $0.y }
        canvas.fill(onSide(rear), with: .solid(materials.tailLamp))
    }

    func paintMirror(on canvas: inout Canvas) {
        guard let corner = shape.windows.last?[1] else { return }
        let centre = projection.pixel(shape.onSide(corner + Point(-0.12, 0.08)) + Point3(0, 0, 0.12))
        let scale = projection.pixelsPerMetre(at: .zero)
        canvas.fill(.ellipse(centre, Point(0.12, 0.085) * scale), with: .solid(materials.body.lit(0.8)))
    }
}
