/// Colours and types of the picture and its page, light and dark.
enum TimelineStyle {
  /// Classes of the picture. Colours stand as values, not as variables, so that programs that draw
  /// SVG without a browser show them too.
  static let picture = """
    text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
      font-size: 12px; fill: #1c2733 }
    .title { font-size: 21px; font-weight: 650 } .strong { font-weight: 600 }
    .muted { fill: #5b6b7b } .small { font-size: 11px } .tiny { font-size: 10px }
    .figure { font-size: 15px; font-weight: 600 } .middle { text-anchor: middle }
    .end { text-anchor: end } .page { fill: #ffffff } .card { fill: #f4f7fa }
    .grid { stroke: #e3e9ef; stroke-width: 1 } .base { stroke: #b7c3cf; stroke-width: 1 }
    .up { fill: #c9d3dd } .lead { fill: #3b5bdb } .onlead { fill: #ffffff }
    .down { fill: #fbe3e6; stroke: #d6455d } .hatch { stroke: #d6455d }
    .pause { fill: #fdf0d2; stroke: #c98a12 } .stripe { stroke: #c98a12 }
    .slow { fill: none; stroke: #c98a12; stroke-width: 1.5; stroke-dasharray: 3 2 }
    .fault { fill: #1c2733 } .onfault { fill: #ffffff; font-weight: 600 }
    .faultline { stroke: #1c2733; stroke-width: 1; stroke-dasharray: 2 3 }
    .gap { fill: #d6455d; fill-opacity: .16 } .gaptext { fill: #b3273f; font-weight: 600 }
    .failed { fill: #d6455d } .heal { stroke: #15803d; stroke-width: 2 } .healtext { fill: #15803d }
    .local { fill: #0d8a7f } .quorum { fill: #2878d0 } .ordered { fill: #8b54c7 }
    .pass { fill: #15803d } .fail { fill: #c22f48 } .undecided { fill: #9a6700 }
    .onbadge { fill: #ffffff; font-size: 15px; font-weight: 700 }
    .bad { fill: #b3273f }
    .g0 { fill: #dbe8ff } .g1 { fill: #ffe3cc } .g2 { fill: #dcf3df } .g3 { fill: #f0e0fa }
    .g4 { fill: #fff1bf } .g5 { fill: #d9f0f3 }
    @media (prefers-color-scheme: dark) {
      text { fill: #e3eaf2 } .muted { fill: #94a5b6 }
      .page { fill: #10171f } .card { fill: #19232e }
      .grid { stroke: #243140 } .base { stroke: #4a5b6c } .up { fill: #3f4f60 }
      .lead { fill: #8da2ff } .onlead { fill: #0d1330 }
      .down { fill: #3a1820; stroke: #ff7088 } .hatch { stroke: #ff7088 }
      .pause { fill: #3a2d10; stroke: #f0b94a } .stripe, .slow { stroke: #f0b94a }
      .fault { fill: #e3eaf2 } .onfault { fill: #10171f } .faultline { stroke: #e3eaf2 }
      .gap { fill: #ff7088; fill-opacity: .22 } .gaptext, .bad { fill: #ff8fa2 }
      .failed { fill: #ff7088 } .heal { stroke: #3ecf8e } .healtext { fill: #3ecf8e }
      .local { fill: #2dd4bf } .quorum { fill: #60a5fa } .ordered { fill: #c084fc }
      .pass { fill: #1f9d57 } .fail { fill: #d6455d } .undecided { fill: #b7841a }
      .g0 { fill: #1a3357 } .g1 { fill: #4d3018 } .g2 { fill: #183d25 } .g3 { fill: #3a2350 }
      .g4 { fill: #463b12 } .g5 { fill: #153e44 }
    }
    """

  /// The page around the picture.
  static let page = """
    :root { color-scheme: light dark; --page: #ffffff; --text: #1c2733; --muted: #5b6b7b;
      --line: #dfe6ec; --card: #f4f7fa; --bad: #b3273f }
    @media (prefers-color-scheme: dark) { :root { --page: #10171f; --text: #e3eaf2;
      --muted: #94a5b6; --line: #2a3846; --card: #19232e; --bad: #ff8fa2 } }
    body { margin: 0 auto; max-width: 1200px; padding: 0 16px 48px; background: var(--page);
      color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
    figure { margin: 0 0 8px; overflow-x: auto } figure svg { display: block; min-width: 900px;
      width: 100%; height: auto }
    h2 { font-size: 16px; margin: 28px 0 8px }
    table { border-collapse: collapse; width: 100%; font-size: 14px }
    th, td { padding: 5px 12px 5px 0; border-bottom: 1px solid var(--line); text-align: left;
      vertical-align: top; font-variant-numeric: tabular-nums }
    th { color: var(--muted); font-weight: 500 }
    pre { background: var(--card); padding: 12px 14px; border-radius: 8px; overflow-x: auto;
      font: 13px/1.5 ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; margin: 0 }
    .bad { color: var(--bad); font-weight: 600 } .muted { color: var(--muted) }
    .columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(380px, 1fr));
      gap: 0 40px }
    """
}
