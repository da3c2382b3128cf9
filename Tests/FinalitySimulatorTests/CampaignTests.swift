import BFTCore
import FinalitySimulator
import Testing

@Suite struct CampaignTests {
  @Test func `every schedule of a twin over one round keeps every rule`() {
    let rows = TwinsCampaign<BFT>.exhaustive(rounds: 1)
    #expect(rows.count == 4)
    for row in rows {
      #expect(row.isPassed, "\(TwinsRow.table([row]))")
      // 23 partitions of five nodes, of which twelve name twins that nothing told apart.
      #expect(row.schedules + row.repeated == 16)
    }
  }

  @Test func `drawn schedules of two twins among seven keep every rule`() {
    let row = TwinsCampaign<BFT>.sampled(validators: 7, rounds: 4, seeds: 1...4)
    #expect(row.isPassed, "\(TwinsRow.table([row]))")
    #expect(row.contradictions > 0)
  }

  @Test func `schedules of twins find votes to finalize what was nullified`() {
    let row = TwinsCampaign<BFT>.sampled(
      validators: 7, rounds: 4, seeds: 2...2, bug: .finalizeAfterNullify)
    #expect(row.broken == 1)
  }

  @Test(arguments: ["steady", "checkpoints"])
  func `a run goes on from every point of one journal`(name: String) {
    let row = CrashCampaign<BFT>.row(name, validators: 4, everybody: true, only: 1)
    #expect(row.isPassed, "\(CrashRow.table([row]))")
    #expect(row.points > row.steps)
  }
}
