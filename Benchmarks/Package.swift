// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that who uses the library does not build what it is compared with.
let package = Package(
    name: "capsule-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        // By name: without it the package would be called after the directory it was cloned into.
        .package(name: "capsule", path: ".."),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        .executableTarget(
            name: "capsule-bench",
            dependencies: [
                .product(name: "Ledger", package: "capsule"),
                .product(name: "ModelPolicy", package: "capsule"),
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: [
                .swiftLanguageMode(.v6),
                .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
                .enableUpcomingFeature("ExistentialAny"),
            ]
        )
    ]
)
