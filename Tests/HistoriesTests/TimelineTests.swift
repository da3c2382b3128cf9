import Histories
import Testing

@Suite struct TimelineTests {
  /// The names of elements still open at the end, or `nil` when one is closed out of order.
  private func open(_ markup: String) -> [String]? {
    var open: [String] = []
    for piece in markup.split(separator: "<", omittingEmptySubsequences: false).dropFirst() {
      guard let end = piece.firstIndex(of: ">") else { return nil }
      let tag = piece[..<end]
      let name = String(tag.prefix { $0 != " " && $0 != "\n" && $0 != "/" })
      if tag.hasPrefix("!") || tag.hasPrefix("meta") || tag.hasSuffix("/") { continue }
      guard tag.hasPrefix("/") else {
        open.append(name)
        continue
      }
      guard open.popLast() == String(tag.dropFirst()) else { return nil }
    }
    return open
  }

  @Test func `picture and page are well formed and stand alone`() {
    for timeline in [SampleRun.partition(), SampleRun.crashes()] {
      let (svg, html) = (timeline.svg, timeline.html)
      #expect(open(svg) == [] && open(html) == [])
      #expect(svg.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\""))
      #expect(html.contains(svg) && html.hasPrefix("<!doctype html>"))
      for word in ["<script", "href", "src=", "@import", "<link"] {
        #expect(!html.contains(word), "\(word)")
      }
      #expect(html.split(separator: "://").count == 2, "only the name space of SVG is an address")
    }
  }

  @Test func `a picture is a function of its timeline`() {
    #expect(SampleRun.partition().html == SampleRun.partition().html)
  }

  @Test func `everything added is drawn`() {
    let svg = SampleRun.partition().svg
    for part in [
      "leads in term 4 for 37.61 s", "down for 4 s", "paused for 2 s", "slow for 4 s",
      "group A: node 1, node 2", "group B: node 3, node 4, node 5", "47 s: kill -9 the leader",
      "one view after 3.12 s", ">PASS<", "class=\"ordered\" d=\"M", "class=\"failed\"",
    ] { #expect(svg.contains(part), "\(part)") }
  }

  @Test func `the page lists figures, faults, conflicts and the command`() {
    let html = SampleRun.partition().html
    for part in [
      "<td>partition 1,2 | 3,4,5</td>", "<td>9.000 s</td>", "<td>last writer wins</td>",
      "<pre>swarmoracle drill Simulations/Scenarios/split-heals.txt</pre>", "<td>seed</td>",
      "<td>note/&lt;b&gt;&amp;&quot;7&quot;</td>", "<td>✓ one view within 5 s</td>",
    ] { #expect(html.contains(part), "\(part)") }
  }

  @Test func `texts from outside cannot become markup`() {
    let hostile = "\"><script>alert('x')</script>&\u{0}\u{1B}"
    var timeline = Timeline(title: hostile, start: 0, end: 100)
    timeline.subtitle = hostile
    let node = timeline.addNode(hostile)
    timeline.addFault(hostile, at: 50, node: node)
    timeline.addPartition([[node], []], from: 10, to: 90)
    var verdict = ControlVerdict(scenario: hostile, command: hostile)
    verdict.addLost(hostile)
    verdict.addConflict(ControlVerdict.Conflict(key: hostile, policy: hostile, detail: hostile))
    verdict.expectations = [ControlVerdict.Expectation(hostile, found: hostile, isMet: false)]
    verdict.judge(
      .of([
        HistoryRecord(
          client: 1, key: hostile, operation: .get, result: .value(hostile, version: 1), call: 1,
          answered: 2)
      ]))
    timeline.verdict = verdict
    let html = timeline.html
    #expect(!html.contains("<script") && open(html) == [])
    #expect(!html.unicodeScalars.contains("\u{0}") && !html.unicodeScalars.contains("\u{1B}"))
  }

  @Test func `what lies outside of the run or the bounds does not break the picture`() {
    var timeline = Timeline(title: "bounds", start: 1_000, end: .max)
    let node = timeline.addNode("n")
    timeline.add(.down, node: node, from: 0, to: .max)
    timeline.add(.paused, node: node, from: 0, to: 1_000)
    timeline.addFault("early", at: 5)
    timeline.setConvergence(at: 5)
    timeline.addWrites([
      WriteAttempt(tier: .local, call: 5, answered: nil, outcome: .unknown),
      WriteAttempt(tier: .local, call: .max, answered: .max, outcome: .acknowledged),
    ])
    for number in 0..<(Timeline.faultsMax + 3) {
      timeline.addFault("f", at: 2_000 + UInt64(number))
    }
    #expect(timeline.convergence == nil)
    let svg = timeline.svg
    #expect(open(svg) == [] && svg.contains("3 more not drawn") && svg.contains("down for"))
    #expect(!svg.contains("paused"))
    #expect(open(Timeline(title: "empty", start: 0, end: 1).html) == [])
  }
}
