// swift-tools-version: 6.2
import PackageDescription

/// The C libraries come from the system (Debian: libdnnl-dev libopenblas-openmp-dev libjpeg-dev libpng-dev
/// libsqlite3-dev). Dependencies between modules point one way; see docs/architecture.md.
let package = Package(
    name: "triptych",
    products: [.executable(name: "triptych", targets: ["triptych"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        // Its default traits pull in configuration providers that nothing here reads.
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // Seeded random numbers that stay the same in every release.
        .target(name: "Randomness"),

        // The tensor engine and what it stands on.
        .target(name: "COneDNN", linkerSettings: [.linkedLibrary("dnnl")]),
        .systemLibrary(name: "COpenBLAS", providers: [.apt(["libopenblas-openmp-dev"])]),
        .target(name: "CSimilarity"),
        .target(name: "CKernels"),
        .target(
            name: "Tensor",
            dependencies: [
                "CKernels", "COneDNN", "COpenBLAS", "CSimilarity",
                .product(name: "Collections", package: "swift-collections"),
            ]),

        // Bytes to pixels.
        .target(name: "CImageCodecs", linkerSettings: [.linkedLibrary("jpeg"), .linkedLibrary("png")]),
        .target(name: "Imaging", dependencies: ["CImageCodecs"]),

        // Triples to embeddings.
        .target(
            name: "Inference",
            dependencies: ["Tensor", "Imaging", "Randomness", .product(name: "Crypto", package: "swift-crypto")]),

        // Embeddings to ranked identities.
        .target(
            name: "Gallery",
            dependencies: [
                "Tensor", .product(name: "Collections", package: "swift-collections"),
                .product(name: "GRDB", package: "GRDB.swift"),
            ]),

        // Images to encoders.
        .target(name: "Synthesis", dependencies: ["Imaging", "Randomness"]),
        .target(
            name: "Training",
            dependencies: [
                "Tensor", "Inference", "Imaging", "Randomness", .product(name: "Yams", package: "Yams"),
            ]),

        // HTTP.
        .target(
            name: "Server",
            dependencies: [
                "Inference", "Imaging", "Gallery", "Tensor",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ],
            // The contract at the root, through a link, so that the server always answers with the one it was built from.
            resources: [.embedInCode("Resources/openapi.yaml")]),

        // The one executable.
        .executableTarget(
            name: "triptych",
            dependencies: [
                "Server", "Training", "Synthesis", "Inference", "Imaging", "Tensor", "Gallery", "Randomness",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        .testTarget(name: "TensorTests", dependencies: ["Tensor"]),
        .testTarget(name: "ImagingTests", dependencies: ["Imaging"], resources: [.copy("Fixtures")]),
        .testTarget(
            name: "InferenceTests", dependencies: ["Inference", "Tensor", "Imaging", "Randomness"],
            resources: [.copy("Fixtures")]),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["triptych", "Gallery", .product(name: "GRDB", package: "GRDB.swift")]),
        .testTarget(
            name: "GalleryTests",
            dependencies: ["Gallery", "Tensor", .product(name: "GRDB", package: "GRDB.swift")],
            resources: [.copy("Fixtures")]),
        .testTarget(
            name: "ServerTests",
            dependencies: [
                "Server", "Gallery", "Imaging", "Inference", "Randomness", "Tensor", "Training",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Yams", package: "Yams"),
            ]),
        .testTarget(name: "SynthesisTests", dependencies: ["Synthesis", "Imaging", "Randomness"]),
        .testTarget(
            name: "TrainingTests", dependencies: ["Training", "Inference", "Tensor", "Imaging", "Randomness"],
            resources: [.copy("Fixtures")]),
    ],
    swiftLanguageModes: [.v6]
)
