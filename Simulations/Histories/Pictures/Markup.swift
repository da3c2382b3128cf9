/// Text of SVG or HTML, built from escaped parts.
struct Markup {
  private(set) var text = ""

  /// Appends an element that ends where it begins.
  mutating func empty(_ name: String, _ attributes: KeyValuePairs<String, String>) {
    open(name, attributes, end: "/>\n")
  }

  /// Appends an element that holds text.
  mutating func element(_ name: String, _ content: String) {
    element(name, [:], content)
  }

  /// Appends an element that holds text, and a second text that shows when it is pointed at.
  mutating func element(
    _ name: String, _ attributes: KeyValuePairs<String, String>, _ content: String,
    hint: String? = nil
  ) {
    open(name, attributes, end: ">")
    text += Self.escaped(content)
    if let hint { text += "<title>\(Self.escaped(hint))</title>" }
    text += "</\(name)>\n"
  }

  /// Appends an element that holds what `content` appends.
  mutating func group(
    _ name: String, _ attributes: KeyValuePairs<String, String> = [:],
    _ content: (inout Markup) -> Void
  ) {
    open(name, attributes, end: ">\n")
    content(&self)
    text += "</\(name)>\n"
  }

  /// Appends markup that is escaped already.
  mutating func raw(_ markup: String) {
    text += markup
  }

  private mutating func open(
    _ name: String, _ attributes: KeyValuePairs<String, String>, end: String
  ) {
    text += "<\(name)"
    for (key, value) in attributes { text += " \(key)=\"\(Self.escaped(value))\"" }
    text += end
  }

  /// The text with everything replaced that markup gives a meaning to, or XML does not admit.
  static func escaped(_ text: String) -> String {
    var escaped = ""
    escaped.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      case "\t", "\n", "\r": escaped.unicodeScalars.append(scalar)
      case "\u{0}"..<"\u{20}", "\u{7F}"..<"\u{A0}", "\u{FFFE}", "\u{FFFF}": escaped += "\u{FFFD}"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
