import FinalitySimulator
import Primitives
import Testing

@Suite struct EventHeapTests {
  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `events come in order of time and then of making`(seed: UInt64) {
    var random = Xoshiro256(seed: seed)
    var heap = EventHeap<Int>()
    var expected: [(UInt64, Int)] = []
    for number in 0..<200 {
      let at = random.next(below: UInt64(20))
      heap.push(number, at: Instant(nanoseconds: at))
      expected.append((at, number))
    }
    expected.sort { $0.0 == $1.0 ? $0.1 < $1.1 : $0.0 < $1.0 }
    for (at, number) in expected {
      let next = heap.pop()
      #expect(next?.instant.nanoseconds == at && next?.payload == number)
    }
    #expect(heap.count == 0 && heap.pop() == nil)
  }
}
