/// The geometry of one kind of vehicle, in metres: x from the rear bumper forwards, y from the ground up.
struct BodyShape: Sendable {
    var width: Float
    var wheelRadius: Float
    /// Positions of the axles.
    var axles: (rear: Float, front: Float)
    /// Where the windows begin, and above which the sides lean inwards.
    var belt: Float
    /// How far each side leans in between the belt and the roof.
    var tumblehome: Float
    /// How far the sides curve inwards at the rear and at the front.
    var bend: (rear: Float, front: Float)
    /// Height of the head lamps' and the tail lamps' middle.
    var headLamp: Float
    var tailLamp: Float
    /// The lower part of the sides, that trim covers, reaches up to here.
    var claddingTop: Float
    /// Side windows, front one last.
    var windows: [[Point]]
    /// Gaps around doors, panels and boxes, as open lines.
    var shutLines: [[Point]]
    /// Where a roof rack stands.
    var rack: ClosedRange<Float>
    /// Where a logo or number patch has its middle.
    var patch: Point
    var profile: Profile
    let length: Float
    let height: Float

    init(
        width: Float, wheelRadius: Float, axles: (rear: Float, front: Float), belt: Float, tumblehome: Float,
        bend: (rear: Float, front: Float) = (0.24, 0.24), headLamp: Float, tailLamp: Float, claddingTop: Float,
        rack: ClosedRange<Float>, patch: Point,
        profile: [Profile.Node], windows: [[Point]], shutLines: [[Point]]
    ) {
        self.width = width
        self.wheelRadius = wheelRadius
        self.axles = axles
        self.belt = belt
        self.tumblehome = tumblehome
        self.bend = bend
        self.headLamp = headLamp
        self.tailLamp = tailLamp
        self.claddingTop = claddingTop
        self.rack = rack
        self.patch = patch
        self.windows = windows
        self.shutLines = shutLines
        self.profile = Profile(profile)
        length = profile.map(\.point.x).max() ?? 0
        height = profile.map(\.point.y).max() ?? 0
    }

    /// Half the width at a point of the side: less near the ends, which are curved, and above the belt.
    func halfWidth(at point: Point) -> Float {
        let lean = tumblehome * max(0, point.y - belt) / max(height - belt, 1e-6)
        let isFront = point.x > length / 2
        // Elliptic corners: 1 at the very end, 0 from half a metre on.
        let nearness = max(0, 1 - (isFront ? length - point.x : point.x) / 0.55)
        let corner = 1 - max(0, 1 - nearness * nearness).squareRoot()
        return width / 2 - lean - (isFront ? bend.front : bend.rear) * corner
    }

    /// The point of the near side's surface over a point of the side view; the scene's origin is below the middle.
    func onSide(_ point: Point) -> Point3 {
        Point3(point.x - length / 2, point.y, halfWidth(at: point))
    }

    /// A point across the shell, from -1 (far side) to 1 (near side), over a point of the outline.
    func across(_ point: Point, _ position: Float) -> Point3 {
        Point3(point.x - length / 2, point.y, halfWidth(at: point) * position)
    }

    /// A point of the front end (or else the rear end), from -1 (far side) to 1, at a height.
    func onEnd(front: Bool, _ position: Float, _ height: Float) -> Point3 {
        across(Point(profile.end(front: front, at: height), height), position)
    }

    /// The side view of the shell down to the sill.
    var side: Path {
        Path(profile.outline).subdivided(0.25)
    }
}
