extension TimelinePicture {
  /// Draws the line of each fault from its mark to where it struck, behind the lanes.
  mutating func drawFaultLines() {
    for fault in timeline.faults {
      let bottom = fault.node.map { laneTop($0) + Self.laneHeight } ?? (stripsTop - 20)
      line("faultline", x: place(fault.at), from: lanesTop - 12, to: bottom)
    }
  }

  /// Draws the faults: numbered marks above the lanes, and a dot where each struck. Marks that
  /// would cover each other share one, which shows the first and the last number.
  mutating func drawFaults() {
    let faults = timeline.orderedFaults
    for fault in faults {
      guard let node = fault.node else { continue }
      let (x, y) = (Self.number(place(fault.at)), laneTop(node) + 21)
      markup.empty("circle", ["class": "fault", "cx": x, "cy": "\(y)", "r": "2.5"])
    }
    var next = 0
    while next < faults.count {
      let first = next
      let x = place(faults[first].at)
      // A mark that ranges over numbers is wider, so what comes close after it joins too.
      while next < faults.count, place(faults[next].at) - x < (next - first > 1 ? 340 : 210) {
        next += 1
      }
      drawMark(first + 1, next, x: x, faults[first..<next])
    }
    guard !faults.isEmpty else { return }
    markup.element(
      "text", ["class": "muted small end", "x": "\(Self.left - 12)", "y": "\(lanesTop - 17)"],
      "faults")
  }

  private mutating func drawMark(
    _ first: Int, _ last: Int, x: Int, _ faults: ArraySlice<Timeline.Fault>
  ) {
    let label = first == last ? "\(first)" : "\(first)–\(last)"
    let half = max(90, Self.textWidth(label, size: 11) * 5 + 40)
    let centre = min(max(x, Self.left * 10), (Self.left + Self.plotWidth) * 10)
    let hint = faults.map {
      "\(Milliseconds.brief($0.at - timeline.start)): \($0.label)"
    }
    box(
      "fault", from: centre - half, to: centre + half, y: lanesTop - 30, height: 18, radius: 9,
      hint: hint.joined(separator: "\n"))
    markup.element(
      "text", ["class": "onfault small middle", "x": Self.number(centre), "y": "\(lanesTop - 17)"],
      label)
  }

  /// Draws the instant from which all nodes hold the same.
  mutating func drawConvergence() {
    guard let convergence = timeline.convergence else { return }
    let x = place(convergence)
    line("heal", x: x, from: lanesTop - 6, to: plotBottom)
    let length = timeline.verdict?.healNanoseconds.map { " after \(Milliseconds.brief($0))" } ?? ""
    let label = "one view" + length
    let isLate = x + (Self.textWidth(label, size: 11) + 10) * 10 > (Self.width - 10) * 10
    text(
      label, x: isLate ? x - 60 : x + 60, y: stripsTop - 6,
      "healtext small strong" + (isLate ? " end" : ""))
  }

  // MARK: Legend

  private enum Sample {
    case box(String)
    case pattern(String, String)
    case line(String)
    case mark
  }

  /// Draws what the picture uses, and nothing that it does not.
  mutating func drawLegend() {
    var entries: [(Sample, String)] = [(.box("up"), "up")]
    let states = timeline.intervals.map(\.state)
    if states.contains(where: \.isLeading) { entries.append((.box("lead"), "leader")) }
    if states.contains(.down) { entries.append((.pattern("down", "hatch"), "down")) }
    if states.contains(.paused) { entries.append((.pattern("pause", "stripes"), "paused")) }
    if states.contains(.slow) { entries.append((.box("slow"), "slow")) }
    let groups = timeline.partitions.map(\.groups.count).max() ?? 0
    for group in 0..<min(groups, 6) {
      let letter = String(UnicodeScalar(UInt8(ascii: "A") + UInt8(group)))
      entries.append((.box("g\(group)"), "group \(letter)"))
    }
    if !timeline.faults.isEmpty { entries.append((.mark, "fault")) }
    if timeline.convergence != nil { entries.append((.line("heal"), "one view")) }
    for strip in timeline.strips {
      entries.append((.box(strip.tier.rawValue), "\(strip.tier.rawValue) writes"))
    }
    if timeline.strips.contains(where: { $0.failures.contains { $0 > 0 } }) {
      entries.append((.box("failed"), "unknown or refused"))
    }
    if timeline.verdict?.tiers.isEmpty == false { entries.append((.box("gap"), "no success")) }
    if timeline.omittedCount > 0 {
      entries.append((.box("page"), "\(timeline.omittedCount) more not drawn"))
    }
    var x = Self.left
    var y = plotBottom + 46
    for (sample, label) in entries {
      let width = 24 + Self.textWidth(label, size: 11)
      if x + width > Self.width - 24 {
        x = Self.left
        y += 20
      }
      drawSample(sample, x: x, y: y)
      text(label, x: (x + 24) * 10, y: y, "muted small")
      x += width + 8
    }
  }

  private mutating func drawSample(_ sample: Sample, x: Int, y: Int) {
    let (start, end) = (x * 10, (x + 18) * 10)
    switch sample {
    case .box(let style): box(style, from: start, to: end, y: y - 10, height: 11, radius: 3)
    case .pattern(let style, let pattern):
      box(style, from: start, to: end, y: y - 10, height: 11, radius: 2)
      markup.empty(
        "rect",
        [
          "fill": "url(#\(pattern))", "x": "\(x)", "y": "\(y - 10)", "width": "18", "height": "11",
        ])
    case .line(let style): line(style, x: start + 90, from: y - 11, to: y + 2)
    case .mark:
      box("fault", from: start, to: end, y: y - 11, height: 13, radius: 6)
      text("1", x: start + 90, y: y - 1, "onfault tiny middle")
    }
  }
}

extension Timeline {
  /// The faults in the order of time; their numbers in picture and page are their places here.
  var orderedFaults: [Fault] {
    faults.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
      .map(\.element)
  }
}
