// swift-tools-version: 6.2
import PackageDescription

/// The C libraries come from the system (Debian: libdnnl-dev libopenblas-openmp-dev libjpeg-dev libpng-dev
/// libsqlite3-dev libpq-dev zlib1g-dev libcurl4-openssl-dev). Dependencies between modules point one way; see docs/architecture.md.
let package = Package(
    name: "triptych",
    products: [
        .executable(name: "triptych", targets: ["triptych"]),
        .library(name: "TriptychClient", targets: ["TriptychClient"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        // Its default traits pull in configuration providers that nothing here reads.
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        // Seeded random numbers that stay the same in every release.
        .target(name: "Randomness"),

        // Dedicated threads, away from Swift's cooperative pool.
        .target(name: "Threads", dependencies: [.product(name: "Collections", package: "swift-collections")]),

        // JSON, YAML, forms, the one strict reader of their fields, and files that are there whole or not at all.
        .target(name: "Documents", dependencies: [.product(name: "Yams", package: "Yams")]),

        // HTML and SVG as text, and charts of it.
        .target(name: "Charts"),

        // Vectors to points of a plane.
        .target(name: "Mapping", dependencies: ["Randomness"]),

        // Exact inner products with bounds.
        .target(name: "CSimilarity"),
        .target(name: "Similarity", dependencies: ["CSimilarity"]),

        // The tensor engine and what it stands on.
        .target(name: "COneDNN", linkerSettings: [.linkedLibrary("dnnl")]),
        .target(name: "CKernels"),
        .target(name: "Tensor", dependencies: ["CKernels", "COneDNN"]),

        // Bytes to pixels.
        .target(name: "CImageCodecs", linkerSettings: [.linkedLibrary("jpeg"), .linkedLibrary("png")]),
        .target(name: "Imaging", dependencies: ["CImageCodecs"]),

        // Triples to embeddings.
        .target(
            name: "Inference",
            dependencies: [
                "Documents", "Imaging", "Randomness", "Tensor", "Threads",
                .product(name: "Crypto", package: "swift-crypto"),
            ]),
        // Weights from elsewhere to weights of ours.
        .target(name: "Import", dependencies: ["Documents", "Inference", "Tensor"]),

        // Embeddings to ranked identities.
        .systemLibrary(name: "CPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(
            name: "Gallery",
            dependencies: [
                "CPQ", "Documents", "Mapping", "Randomness", "Similarity", "Threads",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "GRDB", package: "GRDB.swift"),
            ]),

        // Images to encoders.
        .target(name: "Synthesis", dependencies: ["Documents", "Imaging", "Randomness"]),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-openmp-dev"])]),
        .target(
            name: "Training",
            dependencies: [
                "COpenBLAS", "Charts", "Documents", "Imaging", "Inference", "Randomness", "Similarity", "Tensor",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            // deploy/recipes, through a link: what is built in are the recipes that it was built from.
            resources: [.embedInCode("Recipe/Files")]),
        // Runs to pages: reports, comparisons, sweeps.
        .target(
            name: "Reports",
            dependencies: [
                "Charts", "Documents", "Imaging", "Inference", "Mapping", "Randomness", "Tensor", "Training",
            ]),

        // Requests to answers: everything that serves, whoever brings the requests.
        .target(
            name: "Serving",
            dependencies: [
                "Documents", "Gallery", "Imaging", "Inference", "Tensor", "Threads",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
            ]),

        // HTTP.
        .target(name: "CCurl", linkerSettings: [.linkedLibrary("curl")]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(
            name: "Server",
            dependencies: [
                "CCurl", "CZlib", "Documents", "Gallery", "Inference", "Serving", "Threads",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP2", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Instrumentation", package: "swift-distributed-tracing"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            // The contract at the root, through a link, so that the server always answers with the one it was built from.
            resources: [.embedInCode("Resources/openapi.yaml"), .embedInCode("Console/Files")]),

        // What calls a server: the library that others may build on, over URLSession.
        .target(name: "TriptychClient", dependencies: ["Documents"]),

        // The one executable.
        .executableTarget(
            name: "triptych",
            dependencies: [
                "Documents", "Gallery", "Imaging", "Import", "Inference", "Randomness", "Reports", "Server",
                "Similarity",
                "Synthesis", "Tensor", "Threads", "Training", "TriptychClient",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        .testTarget(name: "DocumentsTests", dependencies: ["Documents", "Randomness"]),
        .testTarget(name: "ThreadsTests", dependencies: ["Threads"]),
        .testTarget(name: "SimilarityTests", dependencies: ["CSimilarity", "Randomness", "Similarity"]),
        .testTarget(name: "TensorTests", dependencies: ["Tensor", "Threads"]),
        .testTarget(name: "ImagingTests", dependencies: ["Imaging"], resources: [.copy("Fixtures")]),
        .testTarget(
            name: "InferenceTests",
            dependencies: ["Documents", "Imaging", "Import", "Inference", "Randomness", "Tensor", "Threads"],
            resources: [.copy("Fixtures")]),
        .testTarget(
            name: "ClientTests",
            dependencies: [
                "Documents", "Gallery", "Server", "ServingFixtures", "TriptychClient",
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "triptych", "Gallery", "Imaging", "Inference", "Training",
                .product(name: "GRDB", package: "GRDB.swift"),
            ]),
        // Databases that tests run on.
        .target(name: "DatabaseFixtures", path: "Tests/DatabaseFixtures"),
        .testTarget(
            name: "GalleryTests",
            dependencies: [
                "DatabaseFixtures", "Gallery", "Mapping", "Similarity", "Threads",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            resources: [.copy("Fixtures")]),
        // Models small enough for tests, and a stand-in for one.
        .target(
            name: "ServingFixtures", dependencies: ["Documents", "Imaging", "Inference", "Threads", "Training"],
            path: "Tests/ServingFixtures"),
        .testTarget(
            name: "ServingTests",
            dependencies: [
                "DatabaseFixtures", "Documents", "Gallery", "Imaging", "Inference", "Serving", "ServingFixtures",
                "Tensor", "Threads",
                "Training", .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(
            name: "ServerTests",
            dependencies: [
                "CCurl", "DatabaseFixtures", "Documents", "Gallery", "Imaging", "Inference", "Randomness", "Server",
                "Serving",
                "ServingFixtures", "Tensor", "Threads", "Training",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ],
            resources: [.copy("Fixtures")]),
        .testTarget(
            name: "ReportsTests",
            dependencies: ["Charts", "Documents", "Imaging", "Inference", "Reports", "Tensor", "Training"]),
        .testTarget(name: "SynthesisTests", dependencies: ["Synthesis", "Imaging", "Randomness"]),
        .testTarget(
            name: "TrainingTests",
            dependencies: ["Documents", "Imaging", "Inference", "Randomness", "Similarity", "Tensor", "Training"],
            resources: [.copy("Fixtures")]),
    ],
    swiftLanguageModes: [.v6]
)

// The commands of CONTRIBUTING.md that build a part of the package, with sanitizers: some tests and what these need.
if let tests = Context.environment["TRIPTYCH_TESTS"] {
    var kept: Set<String> = []
    var next = tests.split(separator: ",").map(String.init)
    while let name = next.popLast() {
        guard kept.insert(name).inserted, let target = package.targets.first(where: { $0.name == name }) else {
            continue
        }
        next += target.dependencies.compactMap { dependency in
            switch dependency {
            case .byNameItem(let name, _), .targetItem(let name, _): name
            default: nil
            }
        }
    }
    package.targets.removeAll { !kept.contains($0.name) }
    package.products.removeAll { !kept.contains($0.name) }
}

// And fuzzers, whose main function is libFuzzer's.
if Context.environment["TRIPTYCH_FUZZ"] != nil {
    let fuzzers: [(String, [Target.Dependency])] = [
        ("Images", ["Imaging"]), ("Texts", ["Documents"]), ("Models", ["Import", "Inference"]),
    ]
    package.targets += fuzzers.map { name, dependencies in
        .executableTarget(
            name: "Fuzz\(name)", dependencies: dependencies, path: "Tests/Fuzz/\(name)",
            swiftSettings: [.unsafeFlags(["-parse-as-library"])])
    }
}
