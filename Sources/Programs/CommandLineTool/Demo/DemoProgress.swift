/// How far the demonstration is: one line that changes on a terminal, a line per tenth elsewhere.
final class DemoProgress: Sendable {
  private struct State {
    var bar = ""
    var lastTenth = 0
  }

  private let console: Console
  private let state = Monitor(State())

  init(_ console: Console) {
    self.console = console
  }

  /// Tells something that happened.
  func tell(_ text: String) {
    state.update { state in
      console.write(console.isTerminal ? "\r\u{1B}[K\(text)\n\(state.bar)" : "\(text)\n")
    }
  }

  /// Tells how many questions are settled.
  func settled(_ count: Int, of total: Int) {
    state.update { state in
      if console.isTerminal {
        let filled = count * 40 / max(1, total)
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 40 - filled)
        state.bar = "  [\(bar)] \(count) of \(total) questions"
        console.write("\r\u{1B}[K\(state.bar)")
        if count == total {
          console.write("\n")
          state.bar = ""
        }
      } else if count * 10 / max(1, total) > state.lastTenth {
        state.lastTenth = count * 10 / max(1, total)
        console.write("\(count) of \(total) questions settled\n")
      }
    }
  }
}
