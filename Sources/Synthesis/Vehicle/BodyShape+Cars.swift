extension BodyShape {
    static let saloon = BodyShape(
        width: 1.8, wheelRadius: 0.325, axles: (0.98, 3.72), belt: 0.96, tumblehome: 0.17,
        headLamp: 0.68, tailLamp: 0.8, claddingTop: 0.42, rack: 1.5...2.5, patch: Point(2.05, 0.68),
        profile: [
            .init(0.06, 0.27, 0, .rearEnd), .init(0, 0.55, 0.1, .rearEnd), .init(0.06, 0.97, 0.1, .deck),
            .init(0.72, 1.03, 0.2, .rearGlass), .init(1.5, 1.42, 0.25, .roof), .init(2.6, 1.45, 0.4, .windscreen),
            .init(3.35, 0.99, 0.15, .bonnet), .init(4.42, 0.8, 0.3, .frontEnd), .init(4.6, 0.5, 0.15, .frontEnd),
            .init(4.52, 0.24, 0, .frontEnd),
        ],
        windows: [
            [Point(1.02, 1.0), Point(2.06, 0.99), Point(2.06, 1.37), Point(1.55, 1.35)],
            [Point(2.14, 0.99), Point(3.13, 0.99), Point(2.58, 1.38), Point(2.14, 1.375)],
        ],
        shutLines: [
            [Point(1.35, 0.72), Point(1.08, 1.0)], [Point(2.1, 1.36), Point(2.1, 0.34)],
            [Point(3.22, 0.98), Point(3.2, 0.34), Point(1.4, 0.33)],
        ])

    static let hatchback = BodyShape(
        width: 1.75, wheelRadius: 0.31, axles: (0.66, 3.24), belt: 0.98, tumblehome: 0.16,
        headLamp: 0.7, tailLamp: 0.92, claddingTop: 0.42, rack: 0.75...1.95, patch: Point(1.85, 0.68),
        profile: [
            .init(0.05, 0.27, 0, .rearEnd), .init(0, 0.58, 0.1, .rearEnd), .init(0.1, 0.98, 0.1, .rearGlass),
            .init(0.5, 1.43, 0.2, .roof), .init(2.0, 1.49, 0.4, .windscreen), .init(2.95, 1.02, 0.15, .bonnet),
            .init(3.82, 0.84, 0.3, .frontEnd), .init(4.0, 0.54, 0.15, .frontEnd), .init(3.93, 0.24, 0, .frontEnd),
        ],
        windows: [
            [Point(0.5, 1.05), Point(1.34, 1.01), Point(1.34, 1.39), Point(0.72, 1.37)],
            [Point(1.42, 1.01), Point(2.72, 1.01), Point(2.02, 1.41), Point(1.42, 1.4)],
        ],
        shutLines: [
            [Point(1.06, 0.6), Point(0.98, 1.0)], [Point(1.38, 1.4), Point(1.38, 0.34)],
            [Point(2.8, 1.0), Point(2.76, 0.34), Point(1.05, 0.33)],
        ])

    static let estate = BodyShape(
        width: 1.82, wheelRadius: 0.325, axles: (0.98, 3.76), belt: 0.98, tumblehome: 0.17,
        headLamp: 0.69, tailLamp: 0.9, claddingTop: 0.42, rack: 0.7...2.5, patch: Point(2.1, 0.68),
        profile: [
            .init(0.06, 0.27, 0, .rearEnd), .init(0, 0.56, 0.1, .rearEnd), .init(0.08, 1.0, 0.1, .rearGlass),
            .init(0.42, 1.44, 0.18, .roof), .init(2.62, 1.49, 0.4, .windscreen), .init(3.42, 1.01, 0.15, .bonnet),
            .init(4.47, 0.82, 0.3, .frontEnd), .init(4.65, 0.51, 0.15, .frontEnd), .init(4.57, 0.24, 0, .frontEnd),
        ],
        windows: [
            [Point(0.42, 1.05), Point(1.1, 1.03), Point(1.1, 1.39), Point(0.62, 1.37)],
            [Point(1.18, 1.02), Point(2.08, 1.01), Point(2.08, 1.41), Point(1.18, 1.39)],
            [Point(2.16, 1.01), Point(3.2, 1.01), Point(2.62, 1.42), Point(2.16, 1.41)],
        ],
        shutLines: [
            [Point(1.38, 0.74), Point(1.14, 1.02)], [Point(2.12, 1.4), Point(2.12, 0.34)],
            [Point(3.28, 1.0), Point(3.24, 0.34), Point(1.4, 0.33)],
        ])

    static let suv = BodyShape(
        width: 1.9, wheelRadius: 0.38, axles: (0.92, 3.66), belt: 1.16, tumblehome: 0.15,
        headLamp: 0.93, tailLamp: 1.08, claddingTop: 0.6, rack: 0.6...2.4, patch: Point(2.05, 0.86),
        profile: [
            .init(0.06, 0.4, 0, .rearEnd), .init(0, 0.72, 0.1, .rearEnd), .init(0.06, 1.18, 0.1, .rearGlass),
            .init(0.32, 1.68, 0.2, .roof), .init(2.5, 1.75, 0.3, .windscreen), .init(3.22, 1.22, 0.15, .bonnet),
            .init(4.42, 1.08, 0.25, .frontEnd), .init(4.6, 0.72, 0.15, .frontEnd), .init(4.5, 0.36, 0, .frontEnd),
        ],
        windows: [
            [Point(0.36, 1.24), Point(1.05, 1.21), Point(1.05, 1.61), Point(0.5, 1.58)],
            [Point(1.13, 1.2), Point(2.03, 1.19), Point(2.03, 1.66), Point(1.13, 1.63)],
            [Point(2.11, 1.19), Point(3.0, 1.19), Point(2.5, 1.67), Point(2.11, 1.66)],
        ],
        shutLines: [
            [Point(1.4, 0.88), Point(1.09, 1.2)], [Point(2.07, 1.65), Point(2.07, 0.5)],
            [Point(3.1, 1.18), Point(3.08, 0.5), Point(1.42, 0.49)],
        ])
}
