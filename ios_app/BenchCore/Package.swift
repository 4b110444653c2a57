// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "BenchCore",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [
        .library(name: "BenchCore", targets: ["BenchCore"]),
        .executable(name: "BenchConformance", targets: ["BenchConformance"]),
    ],
    targets: [
        // The schemas are links to those of Python, so that there is one of each.
        .target(name: "BenchCore", resources: [.copy("Schemas")]),
        .executableTarget(name: "BenchConformance", dependencies: ["BenchCore"]),
        .testTarget(name: "BenchCoreTests", dependencies: ["BenchCore"]),
    ],
    swiftLanguageModes: [.v6]
)
