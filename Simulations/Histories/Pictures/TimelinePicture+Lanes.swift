extension TimelinePicture {
  // MARK: Time

  /// Draws the time scale: lines over the whole plot and their labels at its bottom.
  mutating func drawGrid() {
    let span = timeline.end - timeline.start
    let step = Self.tickStep(span)
    var offset: UInt64 = 0
    while offset <= span {
      let x = place(timeline.start + offset)
      line("grid", x: x, from: lanesTop - 6, to: plotBottom)
      text(Self.tickText(offset, step: step), x: x, y: plotBottom + 18, "muted small middle")
      let (next, overflow) = offset.addingReportingOverflow(step)
      guard !overflow else { break }
      offset = next
    }
  }

  /// The least of 1, 2 and 5 times a power of ten that parts the span into at most 12.
  static func tickStep(_ span: UInt64) -> UInt64 {
    var power: UInt64 = 1
    while true {
      for factor: UInt64 in [1, 2, 5] {
        let (step, overflow) = power.multipliedReportingOverflow(by: factor)
        if overflow || span / step < 12 { return overflow ? span : step }
      }
      let (next, overflow) = power.multipliedReportingOverflow(by: 10)
      guard !overflow else { return span }
      power = next
    }
  }

  private static func tickText(_ offset: UInt64, step: UInt64) -> String {
    if offset == 0 { return "0" }
    if step >= 1_000_000_000 { return "\(offset / 1_000_000_000) s" }
    guard step >= 1_000_000 else { return Milliseconds.text(offset, decimals: 3) }
    if step >= 100_000_000 {
      return "\(offset / 1_000_000_000).\(offset / 100_000_000 % 10) s"
    }
    return Milliseconds.text(offset, decimals: 0)
  }

  // MARK: Nodes

  func laneTop(_ node: Int) -> Int { lanesTop + node * Self.laneHeight }

  /// Colours the lanes of each group while the groups are apart.
  mutating func drawPartitions() {
    for partition in timeline.partitions {
      let (start, end) = (place(partition.start), place(partition.end))
      for (number, group) in partition.groups.enumerated() {
        let letter = Self.letter(number)
        let names = group.map { timeline.nodes[$0] }.joined(separator: ", ")
        for node in group {
          box(
            "g\(number % 6)", from: start, to: end, y: laneTop(node),
            height: Self.laneHeight, hint: "group \(letter): \(names)")
          if end - start > 300 {
            text(letter, x: end - 110, y: laneTop(node) + 10, "muted tiny strong")
          }
        }
      }
    }
  }

  private static func letter(_ number: Int) -> String {
    number < 26 ? String(UnicodeScalar(UInt8(ascii: "A") + UInt8(number))) : "\(number + 1)"
  }

  mutating func drawLanes() {
    let (start, end) = (place(timeline.start), place(timeline.end))
    for (node, name) in timeline.nodes.enumerated() {
      let top = laneTop(node)
      markup.element(
        "text", ["class": "strong end", "x": "\(Self.left - 12)", "y": "\(top + 25)"],
        Self.shortened(name, to: 15), hint: name)
      box("up", from: start, to: end, y: top + 15, height: 12, radius: 3)
    }
    for interval in timeline.intervals where interval.state == .slow { drawState(interval) }
    for interval in timeline.intervals where interval.state.isLeading { drawLeader(interval) }
    for interval in timeline.intervals
    where !interval.state.isLeading && interval.state != .slow {
      drawState(interval)
    }
  }

  private mutating func drawLeader(_ interval: Timeline.Interval) {
    guard case .leader(let term) = interval.state else { return }
    let (start, end) = (place(interval.start), place(interval.end))
    let top = laneTop(interval.node)
    let length = Milliseconds.brief(interval.end - interval.start)
    box(
      "lead", from: start, to: end, y: top + 12, height: 18, radius: 3,
      hint: "leads in term \(term) for \(length)")
    for label in ["leader, term \(term)", "term \(term)", "\(term)"]
    where (end - start) / 10 > Self.textWidth(label, size: 10) + 4 {
      return text(label, x: start + 50, y: top + 25, "onlead tiny strong")
    }
  }

  private mutating func drawState(_ interval: Timeline.Interval) {
    let (start, end) = (place(interval.start), place(interval.end))
    let top = laneTop(interval.node)
    let length = Milliseconds.brief(interval.end - interval.start)
    switch interval.state {
    case .down:
      covered("down", by: "hatch", from: start, to: end, y: top + 12, "down for \(length)")
    case .paused:
      covered("pause", by: "stripes", from: start, to: end, y: top + 12, "paused for \(length)")
    case .slow:
      box(
        "slow", from: start, to: end, y: top + 9, height: 24, radius: 4, hint: "slow for \(length)")
    case .leader: break
    }
  }

  /// A box filled with a pattern over the ground of its style.
  mutating func covered(
    _ style: String, by pattern: String, from start: Int, to end: Int, y: Int, _ hint: String
  ) {
    box(style, from: start, to: end, y: y, height: 18, radius: 2)
    markup.element(
      "rect",
      [
        "fill": "url(#\(pattern))", "x": Self.number(start), "y": "\(y)",
        "width": Self.number(max(10, end - start)), "height": "18",
      ], "", hint: hint)
  }
}

extension Timeline.NodeState {
  var isLeading: Bool {
    switch self {
    case .leader: true
    case .down, .paused, .slow: false
    }
  }
}
