import Histories
import Primitives
import Testing

@Suite struct WriteGapsTests {
  private func attempt(
    _ call: UInt64, _ answered: UInt64?, _ outcome: WriteAttempt.Outcome = .acknowledged,
    tier: WriteTier = .ordered
  ) -> WriteAttempt {
    WriteAttempt(tier: tier, call: call, answered: answered, outcome: outcome)
  }

  @Test func `pauses lie between successes, outages between faults and successes`() {
    let attempts = [
      attempt(5, 10), attempt(11, 20), attempt(22, nil, .unknown), attempt(23, 24, .refused),
      attempt(25, 90), attempt(91, 95), attempt(12, 15, tier: .local),
    ]
    let gaps = WriteGaps(of: .ordered, in: attempts, faults: [30, 92, 97], from: 0, to: 100)
    #expect(gaps.acknowledged == 4 && gaps.unknown == 1 && gaps.refused == 1)
    #expect(gaps.longestPauses.map(\.start) == [0, 10, 20, 90, 95])
    #expect(gaps.longestPauses.map(\.nanoseconds) == [10, 10, 70, 5, 5])
    #expect(gaps.longestPauses.map(\.attempts) == [1, 1, 3, 1, 0])
    #expect(gaps.longestPauses.map(\.isClosed) == [true, true, true, true, false])
    #expect(gaps.pauseMedian == 10 && gaps.pauseMax == 70)
    #expect(gaps.outages.map(\.nanoseconds) == [60, 3, 3])
    #expect(gaps.outages.map(\.isClosed) == [true, true, false])
    #expect(gaps.outageMedian == 3 && gaps.outageMax == 60)
  }

  @Test func `a tier without a success has one pause, as long as the run`() {
    let gaps = WriteGaps(of: .quorum, in: [], faults: [50], from: 10, to: 100)
    #expect(gaps.pauseMax == 90 && gaps.longestPauses.count == 1)
    #expect(gaps.outageMax == 50 && gaps.outages.first?.isClosed == false)
  }

  @Test func `tiers that nobody tried are left out`() {
    let all = WriteGaps.ofAllTiers(
      in: [attempt(1, 2), attempt(1, 2, tier: .local)], from: 0, to: 10)
    #expect(all.map(\.tier) == [.local, .ordered])
  }

  @Test(arguments: 1...30 as ClosedRange<UInt64>)
  func `pauses cover the run, and the longest is the longest`(seed: UInt64) {
    var random = Xoshiro256(seed: seed)
    let attempts = (0..<15).map { _ in
      let call = random.next(in: 0...900)
      return attempt(call, call + random.next(in: 0...90))
    }
    let gaps = WriteGaps(of: .ordered, in: attempts, from: 0, to: 1_000)
    #expect(gaps.longestPauses.reduce(0) { $0 + $1.nanoseconds } == 1_000)
    // The other way round: no instant has success as far away as the longest pause allows.
    let ends = [0] + attempts.compactMap(\.answered).sorted() + [1_000]
    #expect(gaps.pauseMax == zip(ends, ends.dropFirst()).map { $1 - $0 }.max())
  }

  @Test func `writes of the control state are attempts of the ordered tier`() {
    let put = HistoryRecord(
      client: 1, key: "k", operation: .put(value: "v"), result: .written(version: 1), call: 5,
      answered: 9)
    #expect(WriteAttempt(put) == attempt(5, 9))
    let lost = HistoryRecord(client: 1, key: "k", operation: .delete(expected: nil), call: 5)
    #expect(WriteAttempt(lost) == attempt(5, nil, .unknown))
    #expect(WriteAttempt(HistoryRecord(client: 1, key: "k", operation: .get, call: 5)) == nil)
  }
}
