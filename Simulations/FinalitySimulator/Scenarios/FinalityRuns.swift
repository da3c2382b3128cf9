internal import BFTCore

/// The campaigns of the product's own engine, for the command line.
package enum FinalityRuns {
  /// What can be run besides single scenarios.
  package static let campaigns = ["matrix", "mutants", "twins", "crash-points"]

  /// The names of all scenarios.
  package static var scenarios: [String] {
    (FinalityScenario.all + FinalityScenario.long).map(\.name).filter { !campaigns.contains($0) }
  }

  /// Runs a campaign or a scenario, and tells whether everything was as it must be; `nil` when
  /// there is none of that name, or it needs more validators.
  package static func run(
    _ name: String, validators: Int, seeds: ClosedRange<UInt64>, rounds: Int = 4,
    spread: Spread? = nil
  ) -> (text: String, isPassed: Bool)? {
    typealias Campaign = FinalityCampaign<BFT>
    switch name {
    case "matrix":
      let rows = Campaign.matrix(validators: [validators], seeds: seeds, spread: spread)
      return (FinalityRow.table(rows), rows.allSatisfy(\.isPassed))
    case "mutants":
      let kills = Campaign.mutants(validators: validators, seeds: seeds, spread: spread)
      let text = kills.map(\.line).joined(separator: "\n")
      return (text, kills.allSatisfy { $0.found != nil })
    case "twins":
      typealias Twins = TwinsCampaign<BFT>
      let rows =
        validators == 4
        ? Twins.exhaustive(rounds: rounds, spread: spread)
        : [Twins.sampled(validators: validators, rounds: rounds, seeds: seeds, spread: spread)]
      return (TwinsRow.table(rows), rows.allSatisfy(\.isPassed))
    case "crash-points":
      let rows = CrashCampaign<BFT>.exhaustive(validators: validators, spread: spread)
      return (CrashRow.table(rows), rows.allSatisfy(\.isPassed))
    // open set: names of scenarios
    default:
      guard let scenario = FinalityScenario.named(name),
        scenario.sizes.contains(where: { $0 <= validators })
      else { return nil }
      let row = Campaign.scenario(
        scenario, validators: validators, seeds: seeds, spread: spread)
      return (FinalityRow.table([row]), row.isPassed)
    }
  }
}
