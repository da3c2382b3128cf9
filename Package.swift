// swift-tools-version: 6.3
// The package has no outside Swift dependencies: C libraries come from Debian 12
// (configs/debian-packages.txt). Folders under Sources are rungs; imports point down only.
import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableUpcomingFeature("InferIsolatedConformances"),
  .enableUpcomingFeature("ImmutableWeakCaptures"),
  .treatAllWarnings(as: .error),
]

let cSettings: [CSetting] = [
  .unsafeFlags(["-Wall", "-Wextra", "-Werror"])
]

/// Declares one Swift module inside a rung folder.
func module(_ name: String, in rung: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(
    name: name, dependencies: dependencies, path: "Sources/\(rung)/\(name)",
    swiftSettings: settings)
}

/// Declares the tests of one module.
func tests(
  _ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil,
  exclude: [String] = []
) -> Target {
  .testTarget(
    name: name, dependencies: dependencies, path: "Tests/\(name)", exclude: exclude,
    resources: resources, swiftSettings: settings)
}

let shims: [Target] = [
  .systemLibrary(name: "CSodium", path: "Sources/Shims/CSodium", pkgConfig: "libsodium"),
  .systemLibrary(name: "CSQLite", path: "Sources/Shims/CSQLite", pkgConfig: "sqlite3"),
  .target(
    name: "CMicroHTTPD", path: "Sources/Shims/CMicroHTTPD", cSettings: cSettings,
    linkerSettings: [.linkedLibrary("microhttpd")]),
  .target(
    name: "CCurl", path: "Sources/Shims/CCurl", cSettings: cSettings,
    linkerSettings: [.linkedLibrary("curl-gnutls")]),
  .target(name: "CPlatform", path: "Sources/Shims/CPlatform", cSettings: cSettings),
  .target(
    name: "CQUIC", path: "Sources/Shims/CQUIC", cSettings: cSettings,
    linkerSettings: [
      .linkedLibrary("ngtcp2_crypto_gnutls"), .linkedLibrary("ngtcp2"), .linkedLibrary("gnutls"),
    ]),
]

let foundations: [Target] = [
  module("Primitives", in: "Foundations", []),
  module("Wire", in: "Foundations", ["Primitives"]),
  module("Crypto", in: "Foundations", ["Primitives", "CSodium"]),
  module("Merkle", in: "Foundations", ["Primitives", "Crypto"]),
  module("Telemetry", in: "Foundations", ["Primitives"]),
  module("JSONText", in: "Foundations", ["Primitives"]),
  module("Records", in: "Foundations", ["Primitives", "Wire", "Crypto", "Merkle"]),
]

let cores: [Target] = [
  module("CoreKit", in: "Cores", ["Primitives"]),
  module("CausalClocks", in: "Cores", ["Primitives", "Records"]),
  module("ConsensusMath", in: "Cores", ["Primitives"]),
  module("AnswerCore", in: "Cores", ["Primitives", "Crypto", "ConsensusMath"]),
  module(
    "LedgerCore", in: "Cores",
    ["Primitives", "Wire", "Crypto", "Records", "CoreKit", "ConsensusMath", "AnswerCore"]),
  module(
    "GossipCore", in: "Cores",
    ["Primitives", "Wire", "Crypto", "Merkle", "Records", "CoreKit", "CausalClocks"]),
  module(
    "RaftCore", in: "Cores", ["Primitives", "Wire", "Crypto", "Records", "CoreKit"]),
  module("ControlCore", in: "Cores", ["Primitives", "Wire", "Crypto", "Records", "CoreKit"]),
  module("BFTCore", in: "Cores", ["Primitives", "Wire", "Crypto", "Records", "CoreKit"]),
  module(
    "ExecutionCore", in: "Cores",
    [
      "Primitives", "Wire", "Crypto", "Merkle", "Records", "CoreKit", "ConsensusMath",
      "AnswerCore", "LedgerCore",
    ]),
  module(
    "SnapshotCore", in: "Cores", ["Primitives", "Wire", "Crypto", "Merkle", "Records", "CoreKit"]),
  module("MembershipCore", in: "Cores", ["Primitives", "Wire", "Records", "CoreKit"]),
  module("CoordinatorCore", in: "Cores", ["Primitives", "Wire", "Crypto", "Records", "CoreKit"]),
  module(
    "NodeCore", in: "Cores",
    [
      "Primitives", "Wire", "Crypto", "Merkle", "Records", "CoreKit", "CausalClocks",
      "LedgerCore", "GossipCore", "RaftCore", "ControlCore", "MembershipCore", "CoordinatorCore",
      "BFTCore",
    ]),
]

let adapters: [Target] = [
  module("Reactor", in: "Adapters", ["Primitives", "Telemetry", "CPlatform"]),
  module("StorageThreads", in: "Adapters", []),
  module(
    "SQLiteStorage", in: "Adapters",
    [
      "StorageThreads", "Primitives", "Wire", "Crypto", "Merkle", "Records", "Telemetry", "CSQLite",
    ]),
  module(
    "QUICTransport", in: "Adapters",
    ["Primitives", "Crypto", "Telemetry", "Reactor", "CPlatform", "CQUIC"]),
  module(
    "ControlStorage", in: "Adapters",
    ["StorageThreads", "Primitives", "Wire", "Crypto", "Records", "Telemetry", "CPlatform"]),
  module(
    "FinalityStorage", in: "Adapters",
    [
      "StorageThreads", "ControlStorage", "SQLiteStorage", "Primitives", "Wire", "Crypto",
      "Records", "Telemetry",
    ]),
  module("AdminSocket", in: "Adapters", ["Primitives", "Telemetry", "Reactor", "CPlatform"]),
  module("HTTPServer", in: "Adapters", ["Primitives", "Telemetry", "JSONText", "CMicroHTTPD"]),
  module("HTTPClient", in: "Adapters", ["Primitives", "CCurl"]),
]

let interfaces: [Target] = [
  module(
    "Configuration", in: "Interfaces",
    ["Primitives", "Wire", "Crypto", "Records", "Telemetry", "JSONText"]),
  module(
    "ProofFiles", in: "Interfaces",
    ["Primitives", "Wire", "Crypto", "Merkle", "Records", "JSONText"]),
  module(
    "AgentAPI", in: "Interfaces",
    [
      "Primitives", "Wire", "Crypto", "Merkle", "Records", "Telemetry", "JSONText", "HTTPServer",
      "CoreKit", "AnswerCore", "LedgerCore", "ControlCore", "NodeCore", "ExecutionCore",
      "ProofFiles",
    ]),
]

let runtime: [Target] = [
  module(
    "NodeRuntime", in: "Runtime",
    [
      "Primitives", "Wire", "Crypto", "Merkle", "Records", "Telemetry", "JSONText", "CoreKit",
      "CausalClocks", "LedgerCore", "GossipCore", "NodeCore", "AnswerCore", "Reactor",
      "SQLiteStorage", "QUICTransport", "HTTPServer", "Configuration", "AgentAPI", "ControlCore",
      "MembershipCore", "RaftCore", "CoordinatorCore", "StorageThreads", "ControlStorage",
      "AdminSocket", "BFTCore", "ExecutionCore", "FinalityStorage", "SnapshotCore",
    ])
]

let simulations: [Target] = [
  .target(
    name: "Histories", dependencies: ["Primitives", "JSONText"],
    path: "Simulations/Histories", swiftSettings: settings),
  .target(
    name: "Simulator",
    dependencies: [
      "Primitives", "Wire", "Crypto", "Merkle", "Records", "CoreKit", "CausalClocks",
      "LedgerCore", "GossipCore", "NodeCore", "AnswerCore", "RaftCore", "ControlCore",
      "MembershipCore", "CoordinatorCore", "Histories", "BFTCore", "ExecutionCore",
    ],
    path: "Simulations/Simulator", swiftSettings: settings),
  .target(
    name: "FinalitySimulator",
    dependencies: ["Primitives", "Wire", "Crypto", "Records", "CoreKit", "BFTCore"],
    path: "Simulations/FinalitySimulator", swiftSettings: settings),
]

let programs: [Target] = [
  module(
    "CommandLineTool", in: "Programs",
    [
      "Primitives", "Wire", "Crypto", "Merkle", "Records", "Telemetry", "JSONText", "AnswerCore",
      "ControlStorage", "SQLiteStorage", "HTTPClient", "Configuration", "Simulator", "LedgerCore",
      "Histories",
      "AdminSocket", "Reactor", "FinalitySimulator", "FinalityStorage", "ProofFiles",
      "ExecutionCore", "NodeRuntime",
    ]),
  .executableTarget(
    name: "swarmoracle", dependencies: ["CommandLineTool", "NodeRuntime"],
    path: "Sources/Programs/swarmoracle", swiftSettings: settings),
]

let testTargets: [Target] = [
  tests("TidyTests", []),
  tests("PrimitivesTests", ["Primitives"]),
  tests("WireTests", ["Primitives", "Wire"]),
  tests("CryptoTests", ["Primitives", "Crypto"]),
  tests("MerkleTests", ["Primitives", "Crypto", "Merkle", "CSodium"]),
  tests(
    "RecordsTests", ["Primitives", "Wire", "Crypto", "Merkle", "Records"], exclude: ["Golden"]),
  tests("JSONTextTests", ["Primitives", "JSONText"]),
  tests("CausalClocksTests", ["Primitives", "Records", "CausalClocks"]),
  tests("AnswerCoreTests", ["Primitives", "ConsensusMath", "AnswerCore"]),
  tests(
    "LedgerCoreTests",
    ["Primitives", "Wire", "Crypto", "Records", "CoreKit", "LedgerCore", "AnswerCore"]),
  tests(
    "GossipCoreTests",
    [
      "Primitives", "Wire", "Crypto", "Merkle", "Records", "CoreKit", "CausalClocks",
      "GossipCore",
    ]),
  tests("RaftCoreTests", ["Primitives", "Wire", "Crypto", "Records", "CoreKit", "RaftCore"]),
  tests("BFTCoreTests", ["Primitives", "Wire", "Crypto", "Records", "CoreKit", "BFTCore"]),
  tests(
    "ExecutionCoreTests",
    [
      "Primitives", "Wire", "Crypto", "Merkle", "Records", "CoreKit", "LedgerCore", "AnswerCore",
      "ExecutionCore",
    ]),
  tests(
    "SnapshotCoreTests",
    ["Primitives", "Wire", "Crypto", "Merkle", "Records", "CoreKit", "SnapshotCore"]),
  tests(
    "FinalityStorageTests",
    [
      "Primitives", "Wire", "Crypto", "Records", "Telemetry", "ControlStorage", "SQLiteStorage",
      "FinalityStorage",
    ]),
  tests(
    "FinalitySimulatorTests",
    ["Primitives", "Wire", "Crypto", "Records", "CoreKit", "BFTCore", "FinalitySimulator"]),
  tests(
    "ControlCoreTests", ["Primitives", "Wire", "Crypto", "Records", "CoreKit", "ControlCore"]),
  tests(
    "MembershipCoreTests", ["Primitives", "Wire", "Records", "CoreKit", "MembershipCore"]),
  tests(
    "CoordinatorCoreTests",
    ["Primitives", "Wire", "Crypto", "Records", "CoreKit", "CoordinatorCore"]),
  tests(
    "ControlStorageTests",
    ["Primitives", "Wire", "Crypto", "Records", "Telemetry", "ControlStorage"]),
  tests("AdminSocketTests", ["Primitives", "Telemetry", "Reactor", "AdminSocket"]),
  tests("HistoriesTests", ["Primitives", "JSONText", "Histories"]),
  tests("ReactorTests", ["Primitives", "Reactor"]),
  tests(
    "SQLiteStorageTests",
    [
      "Primitives", "Wire", "Crypto", "Merkle", "Records", "Telemetry", "StorageThreads",
      "SQLiteStorage",
      "CSQLite",
    ]),
  tests(
    "QUICTransportTests", ["Primitives", "Crypto", "Telemetry", "Reactor", "QUICTransport"]),
  tests(
    "HTTPServerTests", ["Primitives", "Telemetry", "JSONText", "HTTPServer", "HTTPClient"]),
  tests(
    "ConfigurationTests",
    ["Primitives", "Wire", "Crypto", "Records", "Telemetry", "Configuration"]),
  tests(
    "AgentAPITests",
    [
      "Primitives", "Crypto", "Records", "Telemetry", "JSONText", "HTTPServer", "LedgerCore",
      "AnswerCore", "AgentAPI", "ControlCore", "NodeCore", "Wire", "CSQLite", "ExecutionCore",
      "ProofFiles", "Merkle",
    ]),
  tests(
    "ProofFilesTests",
    [
      "Primitives", "Wire", "Crypto", "Merkle", "Records", "JSONText", "Configuration",
      "ProofFiles",
    ], exclude: ["Golden"]),
  tests(
    "SimulatorTests",
    [
      "Primitives", "Crypto", "Records", "CoreKit", "GossipCore", "MembershipCore", "NodeCore",
      "Simulator",
    ]),
  tests(
    "NodeCoreTests",
    [
      "Primitives", "Wire", "Crypto", "Records", "CoreKit", "RaftCore", "ControlCore",
      "MembershipCore", "CoordinatorCore", "NodeCore", "BFTCore", "GossipCore",
    ]),
  tests(
    "NodeRuntimeTests",
    [
      "Primitives", "Wire", "Crypto", "Merkle", "Records", "Telemetry", "JSONText",
      "GossipCore", "Configuration", "NodeRuntime", "HTTPClient", "QUICTransport", "Reactor",
      "AdminSocket", "BFTCore", "ProofFiles", "SnapshotCore",
    ]),
  tests(
    "CommandLineToolTests",
    [
      "Primitives", "Records", "Telemetry", "JSONText", "Configuration", "CommandLineTool",
      "Simulator", "Histories", "NodeRuntime", "QUICTransport",
    ], exclude: ["Golden"]),
]

let package = Package(
  name: "SwarmOracle",
  products: [.executable(name: "swarmoracle", targets: ["swarmoracle"])],
  targets: shims + foundations + cores + adapters + interfaces + runtime + simulations + programs
    + testTargets,
  swiftLanguageModes: [.v6]
)
