import ControlCore
import Primitives
import Records
import Testing
import Wire

@Suite struct KeyTests {
  @Test func `of several writers that saw one version, one succeeds`() throws {
    var steps = Steps()
    let key = try name("counter")
    steps.apply(.put(key: key, value: [0], condition: .mustBeAbsent))
    for round in 1...20 as ClosedRange<UInt8> {
      let seen = try #require(steps.entry(key)?.version)
      let outcomes = (0..<4).map { writer in
        steps.apply(.put(key: key, value: [round, writer], condition: .version(seen)))
      }
      #expect(outcomes[0] == .put(created: 1, formerVersion: seen))
      let now = steps.state.revision
      for outcome in outcomes.dropFirst() {
        #expect(outcome == .refused(.conditionFailed(version: now)))
      }
      #expect(now == seen + 1 && steps.entry(key)?.value == [round, 0])
    }
    #expect(
      steps.apply(.delete(key: key, version: 1)) == .refused(.conditionFailed(version: 21)))
    #expect(steps.apply(.delete(key: key, version: 21)) == .deleted(formerVersion: 21))
    #expect(
      steps.apply(.delete(key: key, version: 21)) == .refused(.conditionFailed(version: 0)))
    #expect(steps.apply(.delete(key: key)) == .unchanged)
    steps.apply(.put(key: key, value: [], condition: .mustBeAbsent))
    #expect(steps.entry(key)?.created == 23)
  }

  @Test func `keys are listed by their bytes, page by page`() throws {
    var steps = Steps()
    let texts = ["a", "a/", "a/b", "a/b/c", "a/é", "a/z", "a0", "b"]
    for text in texts.reversed() { steps.apply(.put(key: try name(text), value: [])) }
    let expected = texts.filter { $0.hasPrefix("a/") }
      .sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
    var listed: [String] = []
    var after: ControlName?
    repeat {
      let query = ControlQuery.list(prefix: Array("a/".utf8), after: after, limit: 2)
      guard case .entries(let page, let more) = steps.state.answer(query).content else {
        Issue.record("another answer")
        return
      }
      #expect(page.count <= 2)
      listed += page.map(\.key.text)
      after = more ? page.last?.key : nil
    } while after != nil
    #expect(listed == expected)
    // A start before the prefix does not matter, one behind it leaves nothing.
    let early = ControlQuery.list(prefix: Array("a/".utf8), after: try name("a"), limit: 1)
    #expect(
      steps.state.answer(early).content
        == .entries([try #require(steps.entry(try name("a/")))], more: true))
    let late = ControlQuery.list(prefix: Array("a/".utf8), after: try name("b"))
    #expect(steps.state.answer(late).content == .entries([], more: false))
  }

  @Test func `an answer stays below the largest frame`() throws {
    var steps = Steps()
    let value = [UInt8](repeating: 7, count: ControlLimits.valueBytesMax)
    for number in 0..<20 { steps.apply(.put(key: try name("k\(number)"), value: value)) }
    let answer = steps.state.answer(.list(prefix: []))
    guard case .entries(let page, let more) = answer.content else {
      Issue.record("another answer")
      return
    }
    #expect(more && page.count == 8 && answer.encoded.count < 1_024 * 1_024)
  }

  @Test func `bytes are counted and the store does not grow beyond its bound`() throws {
    var steps = Steps()
    let value = [UInt8](repeating: 7, count: ControlLimits.valueBytesMax - 6)
    for number in 100_000..<101_024 {
      let outcome = steps.apply(.put(key: try name("\(number)"), value: value))
      #expect(outcome == .put(created: steps.state.revision, formerVersion: 0))
    }
    #expect(steps.state.counts.storeBytes == ControlBounds.standard.storeBytes)
    let revision = steps.state.revision
    #expect(steps.apply(.put(key: try name("x"), value: [])) == .refused(.storeFull))
    #expect(
      steps.apply(.put(key: try name("100000"), value: value + [0])) == .refused(.storeFull))
    #expect(steps.state.revision == revision)
    // What does not grow goes on.
    steps.apply(.put(key: try name("100000"), value: value.dropLast()))
    #expect(steps.state.revision == revision + 1)
    #expect(
      steps.apply(.put(key: try name("x"), value: [])) == .put(created: 1_026, formerVersion: 0))
  }

  @Test func `names are text of bounded length without control characters`() {
    #expect(ControlName("") == nil)
    #expect(ControlName(String(repeating: "x", count: 512)) != nil)
    #expect(ControlName(String(repeating: "x", count: 513)) == nil)
    for bad in ["a\nb", "\u{0}", "\u{7f}", "x\u{85}", "\u{9f}"] { #expect(ControlName(bad) == nil) }
    for good in ["\u{a0}", "é", "漢字", "😀", " ", "~"] { #expect(ControlName(good)?.text == good) }
    for bad in [[0xff], [0xc2], [0xe6, 0xbc], [0xc0, 0x80], [0xed, 0xa0, 0x80]] as [[UInt8]] {
      #expect(ControlName(validating: bad) == nil)
    }
    // Composed and decomposed forms are two names.
    #expect(ControlName("\u{e9}") != ControlName("e\u{301}"))
  }

  @Test func `removed members stay away until they are restored, and one voter stays`() throws {
    var steps = Steps()
    #expect(steps.apply(.setMember(node(1), role: .voter)) == .memberChanged)
    #expect(steps.notices == [.memberChanged(ControlMember(node: node(1), role: .voter))])
    #expect(steps.apply(.setMember(node(1), role: .voter)) == .unchanged)
    #expect(steps.apply(.setMember(node(1), role: .learner)) == .refused(.lastVoter))
    #expect(steps.apply(.removeMember(node(1))) == .refused(.lastVoter))
    steps.apply(.setMember(node(2), role: .voter))
    #expect(steps.apply(.removeMember(node(1))) == .memberChanged)
    #expect(steps.apply(.setMember(node(1), role: .edge)) == .refused(.memberRemoved))
    #expect(steps.state.member(node(1)) == ControlMember(node: node(1), role: nil))
    #expect(steps.apply(.restoreMember(node(1), role: .edge)) == .memberChanged)
    // A node can be kept out before it ever came.
    steps.apply(.removeMember(node(3)))
    #expect(steps.apply(.setMember(node(3), role: .edge)) == .refused(.memberRemoved))
    #expect(steps.state.member(node(4)) == nil && steps.state.counts.voters == 1)
    for number in 4...ControlLimits.membersMax {
      steps.apply(.setMember(node(UInt64(number)), role: .edge))
    }
    #expect(steps.apply(.setMember(node(9_999), role: .edge)) == .refused(.tooManyMembers))
    #expect(steps.apply(.removeMember(node(9_998))) == .refused(.tooManyMembers))
    #expect(steps.state.members.count == ControlLimits.membersMax)
  }

  @Test func `a copy is not changed by what happens to the original`() throws {
    var source = CommandSource(seed: 77)
    var steps = Steps()
    for _ in 0..<300 { steps.apply(from: &source) }
    let copy = steps.state
    let bytes = copy.snapshotBytes
    for _ in 0..<300 { steps.apply(from: &source) }
    #expect(copy.snapshotBytes == bytes && steps.state.snapshotBytes != bytes)
    #expect(copy.brokenInvariant == nil)
  }

  @Test func `an index that does not advance stops the process`() async {
    await #expect(processExitsWith: .failure) {
      var state = ControlState()
      var notices: [ControlNotice] = []
      let command = ControlCommand(operation: .grantLease(ttlMilliseconds: 1_000))
      _ = state.apply(command, index: 3, into: &notices)
      _ = state.apply(command, index: 3, into: &notices)
    }
  }
}
