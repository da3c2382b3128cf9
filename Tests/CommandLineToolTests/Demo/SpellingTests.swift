import CommandLineTool
import JSONText
import Testing

struct SpellingQuestionTests {
  @Test(arguments: ["accomodate", "a", "TEH", String(repeating: "x", count: 64)])
  func `a question gives its misspelling back`(word: String) throws {
    let question = try #require(SpellingQuestion(misspelling: word))
    #expect(SpellingQuestion(text: question.text)?.misspelling == word)
    #expect((10...2_000).contains(question.text.unicodeScalars.count))
  }

  @Test(arguments: ["", "two words", "it's", "naïve", "^word", String(repeating: "x", count: 65)])
  func `what is no plain word cannot be asked about`(word: String) {
    #expect(SpellingQuestion(misspelling: word) == nil)
  }

  @Test(
    arguments: [
      "", "What is the capital of France?",
      "Which English word is meant by the misspelling ‘’? Answer with the one word.",
      "Which English word is meant by the misspelling ‘a b’? Answer with the one word.",
      "Which English word is meant by the misspelling ‘teh’? Answer.",
    ])
  func `other questions are not misread`(text: String) {
    #expect(SpellingQuestion(text: text) == nil)
  }
}

struct SpellingReplyTests {
  static let banner = "@(#) International Ispell Version 3.4.05 11 Mar 2022\n"

  @Test(
    arguments: [
      ("& teh 3 1: the, Te, eh\n\n", SpellingReply.suggestions(["the", "Te", "eh"])),
      ("? teh 0 1: ad res, ad-res\n\n", .suggestions(["ad res", "ad-res"])),
      ("# teh 1\n\n", .nothing),
      ("\n", .accepted),
      ("", .accepted),
    ])
  func `replies through a pipe are read`(text: String, reply: SpellingReply) {
    #expect(SpellingReply(pipe: Self.banner + text, word: "teh") == reply)
  }

  @Test(
    arguments: ["", "Can't open dictionary\n", "& teh 3 1: the\n"])
  func `a program that does not greet is not understood`(text: String) {
    #expect(SpellingReply(pipe: text, word: "teh") == nil)
  }

  @Test(arguments: ["& other 1 1: the\n", "& teh 1\n", "% teh 1\n", "&\n"])
  func `a reply of another form is not understood`(line: String) {
    #expect(SpellingReply(pipe: Self.banner + line, word: "teh") == nil)
  }

  @Test(
    arguments: [
      (
        "Enter some text: & Wrong: teh. How about: the, Te\n\n",
        SpellingReply.suggestions(["the", "Te"])
      ),
      ("& Wrong: teh. How about: the\n", .suggestions(["the"])),
      ("Enter some text: # Wrong: teh. No suggestions.\n", .nothing),
      ("Enter some text: * OK\n", .accepted),
    ])
  func `replies of nuspell are read`(text: String, reply: SpellingReply) {
    #expect(SpellingReply(nuspell: text, word: "teh") == reply)
  }

  @Test(arguments: ["", "Enter some text: ", "& Wrong: other. How about: the\n"])
  func `a reply that nuspell does not give is not understood`(text: String) {
    #expect(SpellingReply(nuspell: text, word: "teh") == nil)
  }

  @Test func `a suggestion beyond bounds is left out`() {
    let long = String(repeating: "x", count: 101)
    let text = Self.banner + "& teh 2 1: \(long), the\n"
    #expect(SpellingReply(pipe: text, word: "teh") == .suggestions(["the"]))
    #expect(SpellingReply(pipe: Self.banner + "& teh 1 1: \(long)\n", word: "teh") == .nothing)
  }
}

struct SpellingAgentTests {
  @Test(arguments: [(1, 950_000), (2, 725_000), (9, 550_000), (1_000, 500_450)])
  func `an answer is complete and modest`(count: Int, confidence: Int64) throws {
    let agent = SpellingAgent(SpellingProgram(.aspell, mode: "fast"))
    let words = ["the"] + (1..<count).map { "word\($0)" }
    let answer = try JSONValue.parse(agent.answer(words, to: "teh"))
    #expect(answer["value"]?.string == "the")
    #expect(answer["confidence"]?.fixedPoint(scale: 6) == confidence)
    #expect((10...1_000).contains(answer["content"]?.string?.unicodeScalars.count ?? 0))
    #expect((20...2_000).contains(answer["reasoning"]?.string?.unicodeScalars.count ?? 0))
  }

  @Test(arguments: ["", "[]", "{}", #"{"text": 1}"#, #"{"text": "Who wrote Hamlet?"}"#])
  func `what is no question about a misspelling is not answered`(question: String) {
    let agent = SpellingAgent(SpellingProgram(.ispell, mode: "american"))
    #expect {
      try agent.answer(to: Array(question.utf8))
    } throws: { error in
      guard case .notAsked? = error as? SpellingAgent.Abstention else { return false }
      return true
    }
  }

  @Test func `the panel has nine members with names of their own`() {
    #expect(SpellingProgram.panel.count == 9)
    #expect(Set(SpellingProgram.panel.map(\.name)).count == 9)
    #expect(SpellingProgram.panel.allSatisfy { $0.checker.modes.contains($0.mode) })
  }

  /// The checkers are needed for the demonstration only, so a host may lack them.
  @Test(arguments: SpellingProgram.panel.filter { SpellingAgentTests.isInstalled($0) })
  func `an installed checker is understood`(program: SpellingProgram) throws {
    let reply = try program.ask("accomodate")
    guard case .suggestions(let words) = reply else {
      Issue.record("\(program.name) answered \(reply)")
      return
    }
    #expect(words.contains("accommodate"))
    #expect(try program.ask("word") == .accepted)
  }

  private static func isInstalled(_ program: SpellingProgram) -> Bool {
    switch Result(catching: { () throws(ProgramFault) in try program.ask("word") }) {
    case .failure(.notStarted): false
    case .success, .failure: true
    }
  }
}
