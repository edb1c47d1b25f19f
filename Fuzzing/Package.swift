// swift-tools-version: 6.2
import PackageDescription

// A package of its own: it needs other flags than everything else (see Scripts/fuzz).
let package = Package(
    name: "capsule-fuzzing",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "capsule", path: "..")],
    targets: [
        .executableTarget(
            name: "capsule-fuzz",
            dependencies: [.product(name: "_FuzzTargets", package: "capsule")],
            swiftSettings: [
                .swiftLanguageMode(.v6),
                .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
                .enableUpcomingFeature("ExistentialAny"),
            ]
        )
    ]
)
