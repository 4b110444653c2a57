// swift-tools-version: 6.0
import PackageDescription

/// The schemas, through a link to those of Python, so that there is one of each.
let schemas = ["job.v2", "journal.v1", "record.v2", "subject.v1", "protocols"]

/// What is beside them and stays out.
let others = ["Schemas/accuracy.v1.json", "Schemas/reported.v1.json"]

let package = Package(
    name: "BenchCore",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [
        .library(name: "BenchCore", targets: ["BenchCore"]),
        .executable(name: "BenchConformance", targets: ["BenchConformance"]),
    ],
    targets: [
        .target(
            name: "BenchCore",
            exclude: ["Schemas/__init__.py", "Schemas/__main__.py"] + others,
            resources: schemas.map { .copy("Schemas/\($0).json") }
        ),
        // Ed25519 on Linux, where the conformance check signs; the app does with CryptoKit.
        .systemLibrary(name: "COpenSSL"),
        .executableTarget(
            name: "BenchConformance",
            dependencies: [
                "BenchCore",
                .target(name: "COpenSSL", condition: .when(platforms: [.linux])),
            ]
        ),
        // Counts allocations, for a test of the engine.
        .target(name: "AllocationCount", path: "Tests/AllocationCount"),
        .testTarget(name: "BenchCoreTests", dependencies: ["BenchCore", "AllocationCount"]),
    ],
    swiftLanguageModes: [.v6]
)
