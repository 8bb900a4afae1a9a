// swift-tools-version: 6.2
import PackageDescription

/// One set of compiler settings for every module.
let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .treatAllWarnings(as: .error),
]

/// Modules that hold a C pointer also say where they are unsafe.
let settingsAtC: [SwiftSetting] = settings + [.strictMemorySafety()]

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let concurrency: Target.Dependency = .product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let jwtKit: Target.Dependency = .product(name: "JWTKit", package: "jwt-kit")
let httpClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let histogram: Target.Dependency = .product(name: "Histogram", package: "hdrhistogram-swift")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")

/// The parsers under fuzzing. A test target like the others, that replays the corpora; for `Tests/fuzz`, which builds
/// in a place of its own with `SLUICE_FUZZING` set, the same targets as a program of libFuzzer's.
let fuzzingDependencies: [Target.Dependency] = [
  "Wire", "Framing", "Admission", "RedisClient", "Brokering", "Transports", "SluiceClient", "TestSockets",
  nioCore, nioEmbedded, nioHTTP1, concurrency, crypto,
]
let fuzzing: Target =
  Context.environment["SLUICE_FUZZING"] == nil
  ? .testTarget(
    name: "FuzzingTests",
    dependencies: fuzzingDependencies,
    path: "Tests/Fuzzing",
    exclude: ["Corpora", "Driver"],
    swiftSettings: settings
  )
  : .executableTarget(
    name: "fuzz",
    dependencies: fuzzingDependencies,
    path: "Tests/Fuzzing",
    exclude: ["Corpora", "Replay"],
    swiftSettings: settings
  )

// Listed from the ground up: a module may import only what stands above it in this list, and the build
// is run with `--explicit-target-dependency-import-check error`.
let package = Package(
  name: "sluice",
  platforms: [.macOS(.v26)],
  products: [
    .executable(name: "sluice", targets: ["sluice"]),
    .library(name: "SluiceClient", targets: ["SluiceClient"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
    .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-configuration", exact: "1.4.0", traits: ["YAML"]),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
    .package(url: "https://github.com/vapor/jwt-kit", exact: "5.7.1"),
    .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", exact: "0.2.0"),
  ],
  targets: [
    .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
    .target(
      name: "CRedisShim",
      dependencies: ["CHiredis"],
      linkerSettings: [.linkedLibrary("hiredis")]
    ),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "Wire", dependencies: [nioCore, crypto], swiftSettings: settings),
    .target(
      name: "Framing",
      dependencies: ["CZlib", "Wire", nioCore, nioHTTP1, crypto],
      swiftSettings: settings
    ),
    .target(name: "Sessions", dependencies: ["Wire", nioCore], swiftSettings: settings),
    .target(name: "Telemetry", swiftSettings: settings),
    .target(
      name: "Admission",
      dependencies: ["Wire", "Telemetry", nioCore, concurrency, crypto, jwtKit],
      swiftSettings: settings
    ),
    .target(
      name: "RedisClient",
      dependencies: ["CRedisShim", nioCore, nioPosix, logging, crypto, deque],
      swiftSettings: settingsAtC
    ),
    .target(
      name: "Brokering",
      dependencies: ["Wire", "Telemetry", "Admission", "RedisClient", nioCore, logging, concurrency, deque],
      swiftSettings: settings
    ),
    .target(
      name: "Delivery",
      dependencies: ["Wire", "Framing", "Sessions", "Brokering", "Telemetry", nioCore, deque],
      swiftSettings: settings
    ),
    .target(
      name: "Transports",
      dependencies: [
        "Wire", "Framing", "Delivery", "Brokering", "Telemetry", "Admission", nioCore, nioPosix, nioHTTP1,
        deque,
      ],
      swiftSettings: settings
    ),
    .target(
      name: "GatewayNode",
      dependencies: [
        "Wire", "Sessions", "Telemetry", "Admission", "RedisClient", "Brokering", "Delivery", "Transports",
        nioCore, nioPosix, nioHTTP1, nioSSL, logging, concurrency, crypto, httpClient,
        .product(name: "Configuration", package: "swift-configuration"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ],
      resources: [
        .embedInCode("Pages"), .embedInCode("Interface/public.json"), .embedInCode("Interface/operator.json"),
      ],
      swiftSettings: settings
    ),
    .target(
      name: "SluiceClient",
      dependencies: ["Wire", "Framing", nioCore, nioPosix, nioHTTP1, concurrency],
      swiftSettings: settings
    ),
    .target(
      name: "LoadTesting",
      dependencies: [
        "Wire", "Telemetry", "SluiceClient", nioCore, nioPosix, nioHTTP1, concurrency, histogram,
      ],
      resources: [.embedInCode("Report/Page/report.css"), .embedInCode("Report/Page/report.js")],
      swiftSettings: settings
    ),
    .executableTarget(
      name: "sluice",
      dependencies: [
        "Wire", "Admission", "GatewayNode", "SluiceClient", "LoadTesting", nioCore, nioHTTP1,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ],
      swiftSettings: settings
    ),
    // The benchmarks: what is measured beside the gateway, and what measures both.
    .executableTarget(name: "epoll-floor", path: "Tests/Benchmarks/Floor"),
    .executableTarget(name: "epoll-driver", path: "Tests/Benchmarks/Driver"),
    .target(name: "Counting", path: "Tests/Benchmarks/Counting"),
    .executableTarget(
      name: "hot-path",
      dependencies: [
        "Counting", "Wire", "Framing", "RedisClient", "Brokering", "Delivery", "Transports", nioCore,
        nioPosix, logging,
      ],
      path: "Tests/Benchmarks/HotPath",
      swiftSettings: settings
    ),
    .testTarget(name: "WireTests", dependencies: ["Wire", nioCore], swiftSettings: settings),
    .testTarget(
      name: "FramingTests",
      dependencies: ["Wire", "Framing", nioCore, nioEmbedded, nioHTTP1],
      swiftSettings: settings
    ),
    .testTarget(name: "SessionsTests", dependencies: ["Sessions", nioCore], swiftSettings: settings),
    .testTarget(
      name: "AdmissionTests",
      dependencies: ["Wire", "Admission", nioCore],
      swiftSettings: settings
    ),
    .testTarget(name: "TelemetryTests", dependencies: ["Telemetry"], swiftSettings: settings),
    .target(
      name: "TestRedis",
      dependencies: ["RedisClient", nioCore, nioPosix, concurrency],
      path: "Tests/TestRedis",
      swiftSettings: settings
    ),
    .testTarget(
      name: "RedisClientTests",
      dependencies: ["RedisClient", "TestRedis", nioCore, nioPosix, concurrency, logging],
      swiftSettings: settings
    ),
    .testTarget(
      name: "BrokeringTests",
      dependencies: [
        "Wire", "Telemetry", "Admission", "RedisClient", "Brokering", "TestRedis", nioCore, nioPosix,
        concurrency, logging,
      ],
      swiftSettings: settings
    ),
    .testTarget(
      name: "DeliveryTests",
      dependencies: [
        "Wire", "Framing", "Brokering", "Delivery", "Telemetry", nioCore, nioEmbedded,
      ],
      swiftSettings: settings
    ),
    .target(name: "TestSockets", dependencies: [nioCore], path: "Tests/TestSockets", swiftSettings: settings),
    .testTarget(
      name: "TransportsTests",
      dependencies: [
        "Wire", "Framing", "Admission", "Telemetry", "Brokering", "Delivery", "Transports", "TestSockets",
        nioCore, nioEmbedded, nioPosix, nioHTTP1,
      ],
      swiftSettings: settings
    ),
    .testTarget(
      name: "GatewayNodeTests",
      dependencies: [
        "Wire", "GatewayNode", "Sessions", "RedisClient", "Brokering", "Delivery", "Transports", "Telemetry",
        "Admission", nioCore, nioPosix, nioHTTP1, concurrency, logging,
      ],
      swiftSettings: settings
    ),
    .testTarget(
      name: "SluiceClientTests",
      dependencies: ["Wire", "Framing", "SluiceClient", nioCore, nioPosix, nioHTTP1, concurrency],
      swiftSettings: settings
    ),
    .testTarget(
      name: "LoadTestingTests",
      dependencies: ["Wire", "SluiceClient", "LoadTesting", nioCore],
      resources: [.embedInCode("Samples/fanout.json")],
      swiftSettings: settings
    ),
    .testTarget(
      name: "ClusterTests",
      dependencies: [
        "Wire", "Framing", "Admission", "RedisClient", "SluiceClient", "LoadTesting", "TestRedis", nioCore,
        nioPosix,
        nioHTTP1,
        nioSSL,
        concurrency,
      ],
      exclude: ["Browser/bridge.py", "Clients/exchange.py", "Hostile/deflate.py"],
      swiftSettings: settings
    ),
    fuzzing,
  ]
)
