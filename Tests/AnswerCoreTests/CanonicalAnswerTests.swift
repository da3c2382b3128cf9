import AnswerCore
import Primitives
import Testing

@Suite struct CanonicalAnswerTests {
  static let forms: [(String, String)] = [
    ("Paris", "paris"), ("  PARIS\t\n", "paris"), ("Paris.", "paris"), ("Paris ...", "paris"),
    ("New\u{a0}\u{2003} York", "new york"), ("", ""), (" \u{3000}\n", ""), ("...", ""),
    ("U.S.A.", "u.s.a"), ("Hello, World!", "hello, world!"),
    ("+007.50", "7.5"), ("7.5", "7.5"), ("007", "7"), ("0", "0"), ("-0", "0"), ("-0.000", "0"),
    ("+0", "0"), (".5", "0.5"), ("-.50", "-0.5"), ("5.", "5"), ("1.", "1"), ("00.10", "0.1"),
    ("\u{ff11}\u{ff12}", "12"), ("\u{2212}3", "-3"), ("1,000", "1,000"), ("1e3", "1e3"),
    ("1.2.3", "1.2.3"), ("+", "+"), ("-", "-"), ("+-1", "+-1"), ("7 5", "7 5"), ("0x1F", "0x1f"),
    ("123456789012345678901234567890.10", "123456789012345678901234567890.1"),
    ("ÀÉÎÕÜ×Þ", "àéîõü×þ"), ("A\u{300}", "à"), ("e\u{301}te\u{301}", "été"),
    ("N\u{303}", "ñ"), ("c\u{327}", "ç"), ("Y\u{308}", "ÿ"), ("\u{178}", "ÿ"),
    ("x\u{301}", "x\u{301}"), ("a\u{30a}", "å"), ("A\u{301}\u{301}", "á\u{301}"),
    ("Straße", "strasse"), ("STRASSE", "strasse"), ("\u{1e9e}", "ss"), ("\u{17f}", "s"),
    ("ŁÓDŹ", "łódź"), ("Ĺ", "ĺ"), ("Ŋ", "ŋ"), ("Ž", "ž"), ("\u{130}", "\u{130}"),
    ("\u{149}", "\u{149}"), ("\u{138}", "\u{138}"), ("ΑΘΗΝΑΣ", "αθηνασ"), ("αθηνας", "αθηνασ"),
    ("ΆΈΉΊΌΎΏ", "άέήίόύώ"), ("\u{b5}", "\u{3bc}"), ("МОСКВА Ё", "москва ё"),
    ("\u{201c}Yes\u{201d}", "\"yes\""), ("it\u{2019}s", "it's"), ("a\u{2014}b", "a-b"),
    ("so\u{ad}ft\u{200b}\u{feff}\u{2060}", "soft"), ("\u{ff21}\u{ff22}", "ab"),
    ("東京", "東京"), ("👩‍💻", "👩‍💻"), ("Ꭰ", "Ꭰ"),
  ]

  @Test(arguments: forms)
  func `an answer has its canonical form`(text: String, form: String) {
    // Scalars are compared, because equality of strings would overlook different bytes.
    #expect(Array(CanonicalAnswer.text(of: text).unicodeScalars) == Array(form.unicodeScalars))
  }

  @Test(arguments: forms)
  func `the canonical form of a canonical form is itself`(text: String, form: String) {
    let once = CanonicalAnswer.text(of: text)
    #expect(Array(CanonicalAnswer.text(of: once).utf8) == Array(once.utf8))
    #expect(CanonicalAnswer.key(of: text) == CanonicalAnswer.key(of: form))
  }

  @Test(arguments: 0..<64)
  func `random text reaches its canonical form in one step`(seed: UInt64) {
    let alphabet = Array(" .+-0190aAÀß\u{301}\u{308}\u{200b}\u{a0}ſΣς\u{ff0e}Ñe".unicodeScalars)
    var generator = Xoshiro256(seed: seed)
    for _ in 0..<50 {
      var text = ""
      for _ in 0..<generator.next(below: 12) {
        text.unicodeScalars.append(alphabet[generator.next(below: alphabet.count)])
      }
      let once = CanonicalAnswer.text(of: text)
      #expect(Array(CanonicalAnswer.text(of: once).utf8) == Array(once.utf8))
    }
  }

  @Test func `different answers have different keys`() {
    let texts = ["yes", "no", "7.5", "75", "-7.5", "a b", "ab", "à", "a", ""]
    let keys = Set(texts.map { CanonicalAnswer.key(of: $0) })
    #expect(keys.count == texts.count)
  }

  @Test func `the short value counts and the content stands in for an empty one`() {
    let key = CanonicalAnswer.key(value: "Yes", content: "Because of the rain.")
    #expect(key == CanonicalAnswer.key(of: "yes"))
    #expect(
      CanonicalAnswer.key(value: "", content: "Because of the rain.")
        == CanonicalAnswer.key(of: "because  of the rain"))
  }

  @Test func `keys are fixed for ever`() {
    #expect(CanonicalAnswer.key(of: "Paris").description == "d502b9dd-f1fa-9cdd-7958-709accb18d06")
    #expect(
      CanonicalAnswer.key(of: "+007.50").description == "d7ed9885-dc13-6fc9-78f9-280db131cda3")
  }
}
