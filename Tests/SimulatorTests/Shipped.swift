import Foundation
import Primitives
import Simulator

/// The scenarios and corpus of the repository.
enum Shipped {
  static let names = [
    "asymmetric-control", "asymmetric-cut", "bridge-partition", "chaos", "clock-skew",
    "clogged-leader", "control-chaos", "crash-detection", "crash-restart", "damaged-log",
    "election-storm", "equivocator", "finality", "finality-amnesia",
    "finality-fork-lost", "finality-forks", "finality-partition", "finality-two-down",
    "forged-input", "fork-across-restarts",
    "isolate-leader",
    "isolate-one", "late-joiner", "leader-crash-20", "leader-crash",
    "leases", "long-partition",
    "lossy-membership", "lossy-network", "member-replace", "minority-partition",
    "partition-heals", "paused-leader", "relays", "returning-node", "rolling-restarts",
    "slow-control-disk", "slow-disk", "split-2-3", "sync-failure", "torn-steps",
    "three-storm", "two-leaf-partition",
    "wiped-node",
  ]

  /// Those that take seconds even in an optimized build; tests that are not optimized leave them
  /// out.
  static let long: Set<String> = [
    "crash-detection", "finality-fork-lost", "finality-forks", "finality-partition",
    "finality-two-down", "late-joiner", "leader-crash-20", "long-partition", "lossy-membership",
    "lossy-network", "paused-leader", "relays", "split-2-3",
  ]

  /// Those that are run here.
  static var tried: [String] { isOptimized ? names : names.filter { !long.contains($0) } }

  /// Whether the tests are optimized: what `assert` is given is not looked at then.
  static let isOptimized: Bool = {
    var isOptimized = true
    assert(
      {
        isOptimized = false
        return true
      }())
    return isOptimized
  }()

  private static let folder = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Simulations")

  /// The names of the files that are there.
  static func files() throws -> [String] {
    try FileManager.default.contentsOfDirectory(
      atPath: folder.appending(path: "Scenarios").path()
    ).sorted()
  }

  static func scenario(_ name: String) throws -> Scenario {
    let file = folder.appending(path: "Scenarios/\(name).txt")
    return try Scenario(name: name, parsing: try String(contentsOf: file, encoding: .utf8))
  }

  /// A seed that once failed.
  struct Case: Sendable, CustomStringConvertible {
    let scenario: String
    let seed: UInt64
    let reason: String

    var description: String { "\(scenario) \(seed)" }
  }

  /// Every line of the corpus: a scenario, a seed, and behind `#` why it is kept.
  static func corpus() throws -> [Case] {
    let file = folder.appending(path: "Corpus/seeds.txt")
    let text = try String(contentsOf: file, encoding: .utf8)
    return text.split(separator: "\n").compactMap { line in
      let parts = line.split(separator: "#", maxSplits: 1)
      let words = (parts.first ?? "").split(separator: " ")
      guard words.count == 2, parts.count == 2, let seed = UInt64(words[1]) else { return nil }
      return Case(
        scenario: String(words[0]), seed: seed,
        reason: parts[1].trimmingCharacters(in: .whitespaces))
    }
  }
}

/// What a failed run says, with the command that shows it again.
func describe(_ verdict: Verdict) -> String {
  guard let violation = verdict.violation else { return "no violation" }
  return "\(violation.checker.rawValue) at \(violation.at.nanoseconds / 1_000_000) ms: "
    + "\(violation.detail); swarmoracle simulate \(verdict.scenario) --seed \(verdict.seed) --trace"
}
