import Testing

@Suite(.timeLimit(.minutes(5)))
struct FinalityDrillTests {
  @Test func `finality outlives each validator, stops without two, and goes on with three`() throws
  {
    let drill = try NodeChild(["drill", "finality", "--clients", "4", "--down", "300"])
    let status = drill.waitForEnd()
    #expect(status == 0, "\(drill.log)")
    #expect(drill.line(containing: "PASS") != nil)
    #expect(drill.line(containing: "nothing may become final") != nil)
  }
}
