import CausalClocks
import Primitives
import Records
import Testing

/// The algorithm of Kulkarni and others (2014), figure 5, with its pair of numbers: independent of
/// the packed form, the groups and the limit.
private struct PaperClock {
  var milliseconds: UInt64 = 0
  var counter: UInt64 = 0

  mutating func sendOrLocal(_ wall: UInt64) {
    let previous = milliseconds
    milliseconds = max(previous, wall)
    counter = milliseconds == previous ? counter + 1 : 0
  }

  mutating func receive(_ message: PaperClock, _ wall: UInt64) {
    let previous = milliseconds
    milliseconds = max(previous, message.milliseconds, wall)
    switch (milliseconds == previous, milliseconds == message.milliseconds) {
    case (true, true): counter = max(counter, message.counter) + 1
    case (true, false): counter += 1
    case (false, true): counter = message.counter + 1
    case (false, false): counter = 0
    }
  }
}

extension HybridClock.Stamp {
  /// The first timestamp as (milliseconds, counter).
  fileprivate var pair: [UInt64]? {
    switch self {
    case .from(let time): [time.milliseconds, UInt64(time.counter)]
    case .notBefore: nil
    }
  }
}

@Suite struct HybridClockTests {
  @Test func `a chain of messages from the fastest clock counts up, then time goes on`() {
    // In the manner of the paper's figure 6: node 0 runs 10 ms ahead, and its message is passed on
    // from node to node, each of whose clocks is behind.
    var nodes = [HybridClock](repeating: HybridClock(), count: 4)
    func step(_ node: Int, _ wall: UInt64, receiving time: HybridTime? = nil) -> [UInt64]? {
      if let time { nodes[node].observe(time) }
      return nodes[node].stamp(count: 1, wallMilliseconds: wall).pair
    }
    #expect(step(0, 10) == [10, 0])
    #expect(step(1, 1, receiving: nodes[0].latest) == [10, 1])
    #expect(step(1, 2) == [10, 2])
    #expect(step(2, 2, receiving: nodes[1].latest) == [10, 3])
    #expect(step(2, 3) == [10, 4])
    #expect(step(3, 3, receiving: nodes[2].latest) == [10, 5])
    #expect(step(3, 4) == [10, 6])
    // Once a node's own clock passes 10, the counter falls back to zero.
    #expect(step(3, 11) == [11, 0])
    #expect(step(0, 11) == [11, 0])
    #expect(step(0, 11, receiving: nodes[3].latest) == [11, 1])
    // A message from a slower past changes nothing.
    #expect(step(0, 13, receiving: nodes[1].latest) == [13, 0])
  }

  @Test(arguments: 0..<64 as Range<UInt64>)
  func `single stamps are those of the paper's algorithm`(seed: UInt64) {
    var random = Xoshiro256(seed: seed)
    var clocks = [HybridClock](repeating: HybridClock(), count: 4)
    var paper = [PaperClock](repeating: PaperClock(), count: 4)
    var present: UInt64 = 1_000
    for _ in 0..<300 {
      present += random.next(below: UInt64(3))
      let node = random.next(below: 4)
      // Each node's clock is off by at most 60 ms.
      let wall = present + UInt64(node) * 20
      if random.chance(Ratio(1, in: 2)) {
        let sender = random.next(below: 4)
        paper[node].receive(paper[sender], wall)
        clocks[node].observe(clocks[sender].latest)
      } else {
        paper[node].sendOrLocal(wall)
      }
      let stamp = clocks[node].stamp(count: 1, wallMilliseconds: wall)
      #expect(stamp.pair == [paper[node].milliseconds, paper[node].counter])
    }
  }

  @Test(arguments: 0..<64 as Range<UInt64>)
  func `every stamp exceeds all that was seen and none is too far ahead`(seed: UInt64) {
    var random = Xoshiro256(seed: seed)
    var clock = HybridClock()
    var latest = HybridTime.zero
    var refusals = 0
    for _ in 0..<400 {
      // The wall jumps back and forth, and others are up to two seconds ahead of it.
      let wall = 10_000 + random.next(below: UInt64(3_000))
      if random.chance(Ratio(1, in: 4)) {
        let time = HybridTime(
          milliseconds: wall + random.next(below: UInt64(2_000)), counter: 65_000)
        if !HybridClock.isTooFarAhead(time, wallMilliseconds: wall) {
          clock.observe(time)
          latest = max(latest, time)
        }
      }
      let count = 1 + random.next(below: 1_024)
      let before = clock
      switch clock.stamp(count: count, wallMilliseconds: wall) {
      case .from(let first):
        let last = HybridTime(raw: first.raw + UInt64(count) - 1)
        #expect(first > latest && clock.latest == last)
        #expect(last.milliseconds <= wall + 500)
        latest = last
      case .notBefore(let retry):
        refusals += 1
        #expect(clock == before)
        #expect(retry > wall)
        // It succeeds then and not a millisecond earlier.
        var early = clock
        #expect(early.stamp(count: count, wallMilliseconds: retry - 1).pair == nil)
        #expect(early.stamp(count: count, wallMilliseconds: retry).pair != nil)
      }
      #expect(clock.latest == latest)
    }
    #expect(refusals > 0)
  }

  @Test func `half a second ahead is near enough and a millisecond more is not`() {
    let time = HybridTime(milliseconds: 1_500, counter: .max)
    #expect(!HybridClock.isTooFarAhead(time, wallMilliseconds: 1_000))
    #expect(HybridClock.isTooFarAhead(time, wallMilliseconds: 999))
    #expect(!HybridClock.isTooFarAhead(time, wallMilliseconds: .max))
    #expect(HybridClock.isTooFarAhead(HybridTime(raw: .max), wallMilliseconds: 0))
    #expect(!HybridClock.isTooFarAhead(.zero, wallMilliseconds: 0))
    #expect(HybridClock.admissionMilliseconds(of: time) == 1_000)
    #expect(HybridClock.admissionMilliseconds(of: HybridTime(milliseconds: 3, counter: 0)) == 0)
  }

  @Test func `a group that would end too far ahead waits as a whole`() {
    // 65,535 is the last counter of millisecond 1,500: one timestamp still fits, two do not.
    let latest = HybridTime(milliseconds: 1_500, counter: 65_534)
    var clock = HybridClock(latest: latest)
    #expect(
      clock.stamp(count: 2, wallMilliseconds: 1_000) == .notBefore(wallMilliseconds: 1_001))
    #expect(clock.latest == latest)
    #expect(clock.stamp(count: 1, wallMilliseconds: 1_000) == .from(latest.next))
    #expect(
      clock.stamp(count: 1, wallMilliseconds: 1_000) == .notBefore(wallMilliseconds: 1_001))
    #expect(
      clock.stamp(count: 3, wallMilliseconds: 1_001)
        == .from(HybridTime(milliseconds: 1_501, counter: 0)))
  }

  @Test func `a restarted clock goes on after what is stored`() {
    let stored = HybridTime(milliseconds: 2_000, counter: 9)
    var clock = HybridClock(latest: stored)
    #expect(clock.stamp(count: 1, wallMilliseconds: 1_900) == .from(stored.next))
    #expect(
      clock.stamp(count: 1, wallMilliseconds: 2_001)
        == .from(HybridTime(milliseconds: 2_001, counter: 0)))
  }

  @Test func `impossible groups and an exhausted clock stop the process`() async {
    await #expect(processExitsWith: .failure) {
      var clock = HybridClock()
      _ = clock.stamp(count: 0, wallMilliseconds: 1)
    }
    await #expect(processExitsWith: .failure) {
      var clock = HybridClock()
      _ = clock.stamp(count: 65_537, wallMilliseconds: 1)
    }
    await #expect(processExitsWith: .failure) {
      var clock = HybridClock(latest: HybridTime(raw: .max))
      _ = clock.stamp(count: 1, wallMilliseconds: .max)
    }
  }
}
