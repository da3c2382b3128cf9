import AnswerCore
import Testing

struct AccuracyBoundTests {
  @Test func `an agent without a record has the bound of the prior`() {
    // a = 3, b = 2, s = 5: (3 - 2 * sqrt(6 / 6)) / 5
    #expect(AccuracyBound.millionths(correct: 0, resolved: 0) == 200_000)
  }

  @Test(arguments: [
    // Computed with Python's decimal module at 50 digits.
    (1, 1, 310_318), (0, 1, 122_035), (9, 10, 600_000), (90, 100, 823_909),
    (0, 1_000_000, 0), (1_000_000, 1_000_000, 999_995),
  ])
  func `the bound is the mean less two standard deviations`(
    correct: UInt32, resolved: UInt32, bound: UInt32
  ) {
    #expect(AccuracyBound.millionths(correct: correct, resolved: resolved) == bound)
  }

  @Test(arguments: 1..<64 as Range<UInt32>)
  func `one more right answer never lowers the bound`(resolved: UInt32) {
    for correct in 0..<resolved {
      let lower = AccuracyBound.millionths(correct: correct, resolved: resolved)
      let higher = AccuracyBound.millionths(correct: correct + 1, resolved: resolved)
      #expect(lower <= higher)
    }
  }

  @Test func `the largest records do not overflow`() {
    #expect(AccuracyBound.millionths(correct: .max, resolved: .max) <= 1_000_000)
    #expect(AccuracyBound.millionths(correct: .max / 2, resolved: .max) < 500_000)
    #expect(AccuracyBound.millionths(correct: 0, resolved: .max) == 0)
  }

  @Test func `more right answers than resolved ones are a programmer's error`() async {
    await #expect(processExitsWith: .failure) {
      _ = AccuracyBound.millionths(correct: 2, resolved: 1)
    }
  }
}
