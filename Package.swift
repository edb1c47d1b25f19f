// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableExperimentalFeature("Lifetimes"),
]

let package = Package(
    name: "capsule",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Capsule", targets: ["Capsule"]),
        .library(name: "WriterQueue", targets: ["WriterQueue"]),
        .library(name: "SnapshotIndex", targets: ["SnapshotIndex"]),
        .library(name: "ModelPolicy", targets: ["ModelPolicy"]),
        .library(name: "ModelRouter", targets: ["ModelRouter"]),
        .library(name: "PolicyTests", targets: ["PolicyTests"]),
        .library(name: "Ledger", targets: ["Ledger"]),
        .executable(name: "capsule-tool", targets: ["capsule-tool"]),
        // For the package in Fuzzing only.
        .library(name: "_FuzzTargets", targets: ["FuzzTargets"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CLZ4",
            pkgConfig: "liblz4",
            providers: [.apt(["liblz4-dev"]), .brew(["lz4"])]
        ),
        .target(name: "CCRC32C"),
        .target(name: "CPageChecksums", dependencies: ["CCRC32C"], linkerSettings: [.linkedLibrary("sqlite3")]),
        .target(name: "CSHA256"),
        .target(
            name: "Capsule",
            dependencies: [
                "CCRC32C", "CLZ4", "CSHA256",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings
        ),
        .target(name: "WriterQueue", dependencies: ["Capsule"], swiftSettings: settings),
        .target(
            name: "SnapshotIndex",
            dependencies: [
                "CPageChecksums", "Capsule", "JSONText", .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: settings
        ),
        .target(name: "JSONText", swiftSettings: settings),
        .systemLibrary(
            name: "CYAML",
            pkgConfig: "yaml-0.1",
            providers: [.apt(["libyaml-dev"]), .brew(["libyaml"])]
        ),
        .target(name: "CTOML"),
        .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2")]),
        .target(
            name: "ModelPolicy",
            dependencies: [
                "CTOML", "CYAML", "JSONText",
                .product(name: "Crypto", package: "swift-crypto"),
                // RSA.
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "ModelRouter",
            dependencies: ["JSONText", "ModelPolicy", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: settings
        ),
        .target(
            name: "PolicyTests",
            dependencies: ["JSONText", "ModelPolicy", "ModelRouter"],
            swiftSettings: settings
        ),
        .target(
            name: "PolicyGate",
            dependencies: ["JSONText", "ModelPolicy", "PolicyTests"],
            swiftSettings: settings
        ),
        .target(name: "CProcessRunner"),
        .target(name: "ProcessRunner", dependencies: ["CProcessRunner"], swiftSettings: settings),
        .target(
            name: "Ledger",
            dependencies: [
                "JSONText", "ModelPolicy", "ModelRouter", "SnapshotIndex", "WriterQueue",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "capsule-tool",
            dependencies: [
                "CRE2", "Ledger", "ModelPolicy", "PolicyGate", "PolicyTests", "ProcessRunner",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Support",
            dependencies: ["Capsule", "JSONText"],
            path: "Tests/Support",
            swiftSettings: settings
        ),
        .target(
            name: "FuzzTargets",
            dependencies: ["Ledger", "ModelPolicy", "PolicyGate", "PolicyTests"],
            path: "Tests/FuzzTargets",
            swiftSettings: settings
        ),
        .target(
            name: "CrashHarness",
            dependencies: ["Capsule", "WriterQueue"],
            path: "Tests/CrashHarness",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "capsule-crash",
            dependencies: ["CrashHarness", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Tests/capsule-crash",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "fuzz-smoke",
            dependencies: [
                "FuzzTargets", "ModelPolicy", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/fuzz-smoke",
            swiftSettings: settings
        ),
        .testTarget(
            name: "CrashTests",
            dependencies: [
                "Capsule", "CrashHarness", "Support", "WriterQueue", "capsule-crash", "capsule-tool", "fuzz-smoke",
            ],
            swiftSettings: settings
        ),
        .testTarget(name: "JSONTextTests", dependencies: ["JSONText"], swiftSettings: settings),
        .testTarget(name: "CapsuleTests", dependencies: ["CCRC32C", "Capsule", "Support"], swiftSettings: settings),
        .testTarget(
            name: "ModelPolicyTests",
            dependencies: ["ModelPolicy"],
            exclude: ["model_policy.yaml", "mutants.txt"],
            swiftSettings: settings
        ),
        .testTarget(name: "ModelRouterTests", dependencies: ["ModelPolicy", "ModelRouter"], swiftSettings: settings),
        .testTarget(
            name: "PolicyTestsTests",
            dependencies: ["ModelPolicy", "ModelRouter", "PolicyTests"],
            swiftSettings: settings
        ),
        .testTarget(name: "GateTests", dependencies: ["ModelPolicy", "PolicyGate"], swiftSettings: settings),
        .testTarget(name: "WriterQueueTests", dependencies: ["WriterQueue", "Support"], swiftSettings: settings),
        .testTarget(
            name: "SnapshotIndexTests",
            dependencies: ["SnapshotIndex", "WriterQueue", .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: settings
        ),
        .testTarget(name: "LedgerTests", dependencies: ["Ledger", "ModelPolicy", "Support"], swiftSettings: settings),
        .testTarget(
            name: "ToolTests",
            dependencies: ["capsule-tool", "Ledger", "ModelPolicy"],
            exclude: ["Snapshots"],
            swiftSettings: settings
        ),
    ],
    cxxLanguageStandard: .cxx17
)
