extension TimelinePicture {
  /// Gaps narrower than this are as much as nothing, in tenths of a pixel.
  private static let gapWidthMin = 8

  /// Draws for each tier how many writes succeeded over time, and where none did.
  mutating func drawStrips() {
    for (number, strip) in timeline.strips.enumerated() {
      let top = stripsTop + number * (Self.stripHeight + Self.stripGap)
      let base = top + Self.stripHeight - 8
      let total = strip.successes.reduce(0, +)
      let failed = strip.failures.reduce(0, +)
      let label = Self.left - 12
      markup.element(
        "text", ["class": "strong end", "x": "\(label)", "y": "\(base - 14)"], strip.tier.rawValue)
      markup.element(
        "text", ["class": "muted tiny end", "x": "\(label)", "y": "\(base - 1)"],
        "\(Grouped.text(total)) done")
      let marked = markedGaps(of: strip.tier)
      for gap in marked { drawGap(gap, top: top, base: base) }
      drawColumns(strip.successes, style: strip.tier.rawValue, base: base, height: base - top - 14)
      if failed > 0 { drawDrops(strip.failures, base: base) }
      let (start, end) = (place(timeline.start), place(timeline.end))
      markup.empty(
        "line",
        [
          "class": "base", "x1": Self.number(start), "x2": Self.number(end), "y1": "\(base)",
          "y2": "\(base)",
        ])
      labelGaps(marked, y: top + 9)
    }
  }

  /// The pauses that stand out of the tier's usual ones, longest first.
  private func markedGaps(of tier: WriteTier) -> [WriteGaps.Gap] {
    guard let figures = timeline.verdict?.tiers.first(where: { $0.tier == tier }) else {
      return []
    }
    let least = max(figures.pauseMax / 4, min(figures.pauseMedian, .max / 4) * 4)
    return figures.longestPauses.filter {
      $0.nanoseconds >= least && place($0.end) - place($0.start) >= Self.gapWidthMin
    }
    .sorted { ($1.nanoseconds, $0.start) < ($0.nanoseconds, $1.start) }
  }

  private mutating func drawGap(_ gap: WriteGaps.Gap, top: Int, base: Int) {
    let tries = gap.attempts == 0 ? "nobody tried" : "\(gap.attempts) tried"
    let since = Milliseconds.brief(gap.start - min(gap.start, timeline.start))
    box(
      "gap", from: place(gap.start), to: place(gap.end), y: top, height: base - top,
      hint: "no success for \(Milliseconds.brief(gap.nanoseconds)) from \(since); \(tries)")
  }

  /// Writes the lengths of gaps above them, longest first, where there is room.
  private mutating func labelGaps(_ gaps: [WriteGaps.Gap], y: Int) {
    var taken: [ClosedRange<Int>] = []
    for gap in gaps {
      let label = Milliseconds.brief(gap.nanoseconds)
      let half = Self.textWidth(label, size: 10) * 5
      let middle = (place(gap.start) + place(gap.end)) / 2
      let centre = min(
        max(middle, Self.left * 10 + half), (Self.left + Self.plotWidth) * 10 - half)
      let range = (centre - half - 30)...(centre + half + 30)
      guard !taken.contains(where: { $0.overlaps(range) }) else { continue }
      taken.append(range)
      text(label, x: centre, y: y, "gaptext tiny middle")
    }
  }

  /// One path of columns, the tallest as high as the strip.
  private mutating func drawColumns(_ counts: [Int], style: String, base: Int, height: Int) {
    let most = counts.max() ?? 0
    guard most > 0 else { return }
    var path = ""
    for (bin, count) in counts.enumerated() where count > 0 {
      let tall = max(10, count * height * 10 / most)
      path += column(bin, from: base * 10 - tall, tall)
    }
    markup.empty("path", ["class": style, "d": path])
  }

  /// Failures hang below the base line, one size for any number.
  private mutating func drawDrops(_ counts: [Int], base: Int) {
    var path = ""
    for (bin, count) in counts.enumerated() where count > 0 {
      path += column(bin, from: base * 10 + 10, 50)
    }
    markup.empty("path", ["class": "failed", "d": path])
  }

  private func column(_ bin: Int, from top: Int, _ tall: Int) -> String {
    let unit = Self.plotWidth * 10 / Timeline.binCount
    let x = Self.number(Self.left * 10 + bin * unit)
    let wide = Self.number(unit - 5)
    return "M\(x) \(Self.number(top))h\(wide)v\(Self.number(tall))h-\(wide)z"
  }
}
