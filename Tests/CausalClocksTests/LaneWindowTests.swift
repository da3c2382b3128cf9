import CausalClocks
import Primitives
import Testing

@Suite struct LaneWindowTests {
  @Test(arguments: 0..<64 as Range<UInt64>)
  func `receiving in any order agrees with a set`(seed: UInt64) {
    var random = Xoshiro256(seed: seed)
    let parkedMax = random.next(below: 12)
    var window = LaneWindow(parkedMax: parkedMax)
    var held: Set<UInt64> = []
    var head: UInt64 = 0
    for _ in 0..<400 {
      let number =
        head + 1 + random.next(below: UInt64(20)) - min(head, random.next(below: UInt64(4)))
      let parked = held.count { $0 > head }
      let reception = window.receive(number)
      if held.contains(number) || number <= head {
        #expect(reception == .duplicate)
      } else if number == head + 1 {
        held.insert(number)
        while held.contains(head + 1) { head += 1 }
        #expect(reception == .advanced(number...head))
      } else if parked < parkedMax {
        held.insert(number)
        #expect(reception == .parked)
      } else {
        #expect(reception == .full)
      }
      window.checkInvariants()
      #expect(window.head == head)
      #expect(window.parkedCount == held.count { $0 > head })
      #expect(window.highest == max(head, held.max() ?? 0))
      let bound = head + random.next(below: UInt64(30))
      let missing = window.missing(upTo: bound).flatMap { Array($0) }
      #expect(
        missing == (1...(bound + 1)).filter { $0 <= bound && $0 > head && !held.contains($0) })
    }
    #expect(head > 10)
  }

  @Test func `a full window still takes the next number`() {
    var window = LaneWindow(head: 4, parkedMax: 2)
    #expect(window.receive(6) == .parked)
    #expect(window.receive(8) == .parked)
    #expect(window.receive(9) == .full)
    #expect(window.receive(6) == .duplicate)
    #expect(window.missing(upTo: 9) == [5...5, 7...7, 9...9])
    #expect(window.receive(5) == .advanced(5...6))
    #expect(window.receive(9) == .parked)
    #expect(window.receive(7) == .advanced(7...9))
    #expect(window.parkedCount == 0 && window.head == 9)
    #expect(window.missing(upTo: 9).isEmpty)
  }

  @Test func `the next number is parked while its causes are missing`() {
    var window = LaneWindow(parkedMax: 3)
    let parked = [window.park(1), window.park(2), window.park(1)]
    #expect(parked == [true, true, true])
    #expect(window.place(of: 1) == .parked)
    #expect(window.head == 0 && window.parkedCount == 2)
    #expect(window.receive(3) == .parked)
    let fourth = window.park(4)
    #expect(!fourth)
    window.advance(through: 1)
    #expect(window.head == 1 && window.parkedCount == 2)
    #expect(window.place(of: 1) == .held)
    #expect(window.place(of: 2) == .parked)
    window.unpark(2)
    #expect(window.place(of: 2) == .next)
    #expect(window.place(of: 4) == .ahead)
    window.unpark(2)
    #expect(window.parkedCount == 1)
    #expect(window.receive(2) == .advanced(2...3))
  }

  @Test func `a snapshot raises the head over gaps and never lowers it`() {
    var window = LaneWindow(head: 10, parkedMax: 8)
    for number: UInt64 in [12, 15, 16, 20] { #expect(window.receive(number) == .parked) }
    window.advance(through: 15)
    #expect(window.head == 15 && window.parkedCount == 2)
    #expect(window.missing(upTo: 20) == [17...19])
    window.advance(through: 3)
    #expect(window.head == 15)
    window.advance(through: .max)
    #expect(window.parkedCount == 0)
    #expect(window.place(of: .max) == .held)
    #expect(window.missing(upTo: .max).isEmpty)
  }

  @Test func `a window without room takes numbers in order only`() {
    var window = LaneWindow(parkedMax: 0)
    #expect(window.receive(2) == .full)
    #expect(window.receive(1) == .advanced(1...1))
    #expect(window.receive(2) == .advanced(2...2))
  }

  @Test func `wrong numbers stop the process`() async {
    await #expect(processExitsWith: .failure) {
      var window = LaneWindow(parkedMax: 1)
      _ = window.receive(0)
    }
    await #expect(processExitsWith: .failure) {
      var window = LaneWindow(head: 5, parkedMax: 1)
      _ = window.park(5)
    }
    await #expect(processExitsWith: .failure) { _ = LaneWindow(parkedMax: -1) }
  }
}
