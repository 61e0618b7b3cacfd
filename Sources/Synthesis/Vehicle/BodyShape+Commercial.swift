extension BodyShape {
    static let pickup = BodyShape(
        width: 1.9, wheelRadius: 0.39, axles: (1.12, 4.28), belt: 1.16, tumblehome: 0.14,
        bend: (0.05, 0.24), headLamp: 0.95, tailLamp: 0.95, claddingTop: 0.62, rack: 2.1...3.0,
        patch: Point(2.85, 0.86),
        profile: [
            .init(0.05, 0.48, 0, .rearEnd), .init(0, 0.75, 0.05, .rearEnd), .init(0.03, 1.15, 0.03, .deck),
            .init(1.86, 1.15, 0.02, .rearGlass), .init(2.0, 1.7, 0.15, .roof), .init(3.12, 1.75, 0.3, .windscreen),
            .init(3.86, 1.22, 0.15, .bonnet), .init(5.12, 1.09, 0.25, .frontEnd), .init(5.3, 0.75, 0.15, .frontEnd),
            .init(5.2, 0.42, 0, .frontEnd),
        ],
        windows: [
            [Point(2.06, 1.2), Point(2.72, 1.19), Point(2.72, 1.65), Point(2.16, 1.63)],
            [Point(2.8, 1.19), Point(3.66, 1.19), Point(3.14, 1.67), Point(2.8, 1.66)],
        ],
        shutLines: [
            [Point(1.9, 1.2), Point(1.88, 0.55)], [Point(2.76, 1.65), Point(2.76, 0.55)],
            [Point(3.74, 1.18), Point(3.72, 0.55), Point(1.92, 0.54)],
        ])

    static let van = BodyShape(
        width: 2.0, wheelRadius: 0.36, axles: (1.05, 4.4), belt: 1.28, tumblehome: 0.13,
        bend: (0.06, 0.22), headLamp: 0.92, tailLamp: 1.1, claddingTop: 0.5, rack: 0.5...3.3, patch: Point(2.1, 1.3),
        profile: [
            .init(0.04, 0.32, 0, .rearEnd), .init(0, 0.7, 0.1, .rearEnd), .init(0.05, 2.2, 0.2, .roof),
            .init(3.65, 2.28, 0.5, .windscreen), .init(4.72, 1.3, 0.2, .bonnet), .init(5.25, 1.06, 0.25, .frontEnd),
            .init(5.4, 0.7, 0.15, .frontEnd), .init(5.32, 0.28, 0, .frontEnd),
        ],
        windows: [[Point(3.62, 1.3), Point(4.52, 1.27), Point(4.0, 1.86), Point(3.62, 1.88)]],
        shutLines: [
            [Point(2.15, 0.42), Point(2.15, 2.05), Point(3.5, 2.1), Point(3.5, 0.42), Point(2.15, 0.42)],
            [Point(4.6, 1.28), Point(4.0, 0.8), Point(3.98, 0.42), Point(3.5, 0.42)],
            [Point(0.2, 1.35), Point(2.1, 1.35)],
        ])

    static let minibus = BodyShape(
        width: 2.02, wheelRadius: 0.36, axles: (1.15, 4.55), belt: 1.3, tumblehome: 0.12,
        bend: (0.08, 0.2), headLamp: 0.9, tailLamp: 1.1, claddingTop: 0.5, rack: 0.5...3.6, patch: Point(2.7, 0.88),
        profile: [
            .init(0.04, 0.32, 0, .rearEnd), .init(0, 0.7, 0.1, .rearEnd), .init(0.02, 1.36, 0.02, .rearGlass),
            .init(0.08, 2.25, 0.25, .roof), .init(4.3, 2.33, 0.45, .windscreen), .init(5.2, 1.3, 0.2, .bonnet),
            .init(5.5, 1.05, 0.2, .frontEnd), .init(5.6, 0.7, 0.15, .frontEnd), .init(5.53, 0.28, 0, .frontEnd),
        ],
        windows: [
            [Point(0.25, 1.36), Point(1.2, 1.36), Point(1.2, 1.98), Point(0.25, 1.96)],
            [Point(1.29, 1.36), Point(2.3, 1.36), Point(2.3, 2.0), Point(1.29, 1.98)],
            [Point(2.39, 1.36), Point(3.35, 1.36), Point(3.35, 2.02), Point(2.39, 2.0)],
            [Point(3.95, 1.34), Point(4.98, 1.3), Point(4.5, 1.95), Point(3.95, 1.98)],
        ],
        shutLines: [
            [Point(3.4, 2.05), Point(3.4, 0.42)], [Point(3.88, 2.05), Point(3.88, 0.42)],
            [Point(5.08, 1.28), Point(4.3, 0.8), Point(4.26, 0.42)],
        ])

    static let truck = BodyShape(
        width: 2.1, wheelRadius: 0.42, axles: (1.25, 4.75), belt: 1.3, tumblehome: 0.05,
        bend: (0, 0.2), headLamp: 0.85, tailLamp: 0.85, claddingTop: 0.82, rack: 4.1...4.8, patch: Point(1.9, 1.75),
        profile: [
            .init(0.03, 0.55, 0, .rearEnd), .init(0, 0.95, 0.03, .rearEnd), .init(0, 2.72, 0.06, .roof),
            .init(3.75, 2.72, 0.06, .bulkhead), .init(3.78, 2.05, 0.02, .roof), .init(4.85, 2.08, 0.3, .windscreen),
            .init(5.5, 1.28, 0.15, .bonnet), .init(5.86, 1.1, 0.2, .frontEnd), .init(6.0, 0.75, 0.12, .frontEnd),
            .init(5.93, 0.38, 0, .frontEnd),
        ],
        windows: [[Point(4.2, 1.3), Point(5.28, 1.27), Point(4.82, 1.88), Point(4.2, 1.9)]],
        shutLines: [
            [Point(0.03, 0.95), Point(3.76, 0.95)], [Point(3.77, 2.7), Point(3.77, 0.55)],
            [Point(1.25, 2.68), Point(1.25, 0.97)], [Point(2.5, 2.68), Point(2.5, 0.97)],
            [Point(4.1, 1.95), Point(4.1, 0.95)], [Point(5.36, 1.26), Point(5.25, 0.95)],
        ])
}
