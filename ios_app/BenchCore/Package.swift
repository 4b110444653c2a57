// swift-tools-version: 6.0
import PackageDescription

/// The schemas, through a link to those of Python, so that there is one of each.
let schemas = ["job.v2", "journal.v1", "record.v2", "subject.v1", "protocols"]

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
            // All that is not named below; Python's own files are there too.
            exclude: ["Schemas"],
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
