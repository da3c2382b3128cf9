/// Draws a timeline as SVG: header and figures, time scale with faults, a lane per node, a strip
/// per write tier, and the legend. Lengths are in tenths of a pixel where they lie on the time
/// scale, in pixels elsewhere.
struct TimelinePicture {
  static let width = 1200
  static let left = 124
  static let plotWidth = 1044
  static let laneHeight = 38
  static let stripHeight = 58
  static let stripGap = 14

  let timeline: Timeline
  var markup = Markup()
  let lanesTop: Int
  let stripsTop: Int
  let plotBottom: Int
  let height: Int

  init(_ timeline: Timeline) {
    self.timeline = timeline
    let hasFigures = timeline.verdict != nil
    lanesTop = (hasFigures ? 138 : 76) + 50
    stripsTop = lanesTop + timeline.nodes.count * Self.laneHeight + 20
    plotBottom = stripsTop + timeline.strips.count * (Self.stripHeight + Self.stripGap)
    height = plotBottom + 74
  }

  /// The whole picture.
  static func svg(of timeline: Timeline) -> String {
    var picture = TimelinePicture(timeline)
    picture.draw()
    return picture.markup.text
  }

  private mutating func draw() {
    let (width, height) = (Self.width, height)
    markup.raw(
      """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" width="\(width)" \
      height="\(height)" role="img" aria-labelledby="title description">

      """)
    markup.element("title", ["id": "title"], timeline.title)
    markup.element("desc", ["id": "description"], timeline.verdict?.text ?? timeline.subtitle)
    markup.raw("<style>\n\(TimelineStyle.picture)\n</style>\n")
    markup.raw(Self.patterns)
    markup.empty("rect", ["class": "page", "width": "\(width)", "height": "\(height)", "rx": "10"])
    drawHeader()
    drawFigures()
    drawGrid()
    drawPartitions()
    drawFaultLines()
    drawLanes()
    drawStrips()
    drawFaults()
    drawConvergence()
    drawLegend()
    markup.raw("</svg>\n")
  }

  private static let patterns = """
    <defs>
    <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" \
    patternTransform="rotate(45)"><line class="hatch" y2="6" stroke-width="2.4"/></pattern>
    <pattern id="stripes" width="5" height="5" patternUnits="userSpaceOnUse">\
    <line class="stripe" x1="1" x2="1" y2="5" stroke-width="1.6"/></pattern>
    </defs>

    """

  // MARK: Places

  /// The place of an instant, in tenths of a pixel.
  func place(_ instant: UInt64) -> Int {
    Self.left * 10 + Int(timeline.scaled(instant, to: UInt64(Self.plotWidth * 10)))
  }

  /// Tenths of a pixel as a number of SVG.
  static func number(_ tenths: Int) -> String {
    tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
  }

  /// About how wide a text is in pixels, on the generous side.
  static func textWidth(_ text: String, size: Int) -> Int {
    text.isEmpty ? 0 : text.count * size * 6 / 10 + 4
  }

  /// The text, shortened to a number of characters.
  static func shortened(_ text: String, to count: Int) -> String {
    text.count <= count ? text : text.prefix(count - 1) + "…"
  }

  mutating func text(_ content: String, x: Int, y: Int, _ style: String) {
    markup.element("text", ["class": style, "x": Self.number(x), "y": "\(y)"], content)
  }

  mutating func box(
    _ style: String, from start: Int, to end: Int, y: Int, height: Int, radius: Int = 0,
    hint: String? = nil
  ) {
    markup.element(
      "rect",
      [
        "class": style, "x": Self.number(start), "y": "\(y)",
        "width": Self.number(max(10, end - start)), "height": "\(height)", "rx": "\(radius)",
      ], "", hint: hint)
  }

  mutating func line(_ style: String, x: Int, from top: Int, to bottom: Int) {
    let x = Self.number(x)
    markup.empty(
      "line", ["class": style, "x1": x, "x2": x, "y1": "\(top)", "y2": "\(bottom)"])
  }

  // MARK: Header

  private mutating func drawHeader() {
    text(Self.shortened(timeline.title, to: 60), x: 240, y: 38, "title")
    let subtitle = timeline.subtitle.isEmpty ? (timeline.verdict?.command ?? "") : timeline.subtitle
    text(Self.shortened(subtitle, to: 140), x: 240, y: 59, "muted")
    guard let outcome = timeline.verdict?.outcome else { return }
    let style =
      switch outcome {
      case .pass: "pass"
      case .fail: "fail"
      case .undecided: "undecided"
      }
    let width = Self.textWidth(outcome.rawValue, size: 15) + 36
    let left = (Self.width - 24 - width) * 10
    box(style, from: left, to: left + width * 10, y: 18, height: 32, radius: 16)
    text(outcome.rawValue, x: left + width * 5, y: 39, "onbadge middle")
  }

  private mutating func drawFigures() {
    guard let verdict = timeline.verdict else { return }
    let figures = verdict.figures
    let gap = 8
    // Each gets the room that its text needs, and an equal part of what is left.
    let needs = figures.map { figure in
      let (value, detail) = Self.split(figure.value)
      let content = Self.textWidth(value, size: 15) + Self.textWidth(detail, size: 11)
      return max(Self.textWidth(figure.name, size: 11), content) + 20
    }
    let room = Self.width - 48 - gap * (figures.count - 1)
    let spare = max(0, room - needs.reduce(0, +)) / max(1, figures.count)
    var x = 24
    for (figure, need) in zip(figures, needs) {
      let width = need + spare
      box("card", from: x * 10, to: (x + width) * 10, y: 74, height: 48, radius: 7)
      text(figure.name, x: (x + 10) * 10, y: 92, "muted small")
      let (value, detail) = Self.split(figure.value)
      text(value, x: (x + 10) * 10, y: 112, figure.isBad ? "figure bad" : "figure")
      let start = x + 10 + Self.textWidth(value, size: 15)
      if !detail.isEmpty { text(detail, x: start * 10, y: 112, "muted small") }
      x += width + gap
    }
  }

  /// Parts a value from what stands in brackets behind it.
  private static func split(_ value: String) -> (String, detail: String) {
    guard let bracket = value.firstIndex(of: "("), value.last == ")" else { return (value, "") }
    let head = value[..<bracket].dropLast()
    return (String(head), String(value[value.index(after: bracket)...].dropLast()))
  }
}
