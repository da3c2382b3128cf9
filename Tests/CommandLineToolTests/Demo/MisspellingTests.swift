import CommandLineTool
import Testing

struct MisspellingDictionaryTests {
  private static let sample = """
    abandonned->abandoned
    abd->and, bad,
    clas->class, disabled because of name clash in C++
    Capital->capital
    it's->its
    teh->the
    broken
    dash-only
    ->nothing
    nothing->
    naïve->naive
    """

  @Test func `lines with one plain meaning are taken and no others`() {
    let dictionary = MisspellingDictionary(text: Array(Self.sample.utf8))
    #expect(
      dictionary.entries == [
        Misspelling(wrong: "abandonned", right: "abandoned"),
        Misspelling(wrong: "teh", right: "the"),
      ])
  }

  @Test(arguments: 0..<16 as Range<UInt64>)
  func `a seed chooses the same different entries each time`(seed: UInt64) {
    let lines = (0..<200).map { number in
      let letters = String(String(1_000 + number).map { Self.letter($0) })
      return "x\(letters)->y\(letters)\n"
    }
    let dictionary = MisspellingDictionary(text: Array(lines.joined().utf8))
    let chosen = dictionary.choose(50, seed: seed)
    #expect(chosen.count == 50 && Set(chosen).count == 50)
    #expect(chosen == dictionary.choose(50, seed: seed))
    #expect(chosen == Array(dictionary.choose(80, seed: seed).prefix(50)))
    #expect(chosen != dictionary.choose(50, seed: seed + 1))
    #expect(Set(dictionary.choose(1_000, seed: seed)) == Set(dictionary.entries))
  }

  private static func letter(_ digit: Character) -> Character {
    Character(UnicodeScalar(UInt8(ascii: "a") + UInt8(digit.wholeNumberValue ?? 0)))
  }
}
