/// Rows of text in columns as wide as their widest cell.
package struct Table: Sendable {
  /// How a column is aligned.
  package enum Alignment: Sendable {
    /// Text.
    case left
    /// Numbers.
    case right
  }

  private let titles: [String]
  private let alignments: [Alignment]
  private var rows: [[Cell]] = []

  /// One cell, with a colour if it matters.
  package struct Cell: Sendable, ExpressibleByStringLiteral {
    let text: String
    let color: Console.Color?

    /// Makes a cell.
    package init(_ text: String, _ color: Console.Color? = nil) {
      self.text = text
      self.color = color
    }

    package init(stringLiteral value: String) { self.init(value) }
  }

  /// Makes a table without rows.
  package init(_ columns: [(title: String, alignment: Alignment)]) {
    titles = columns.map(\.title)
    alignments = columns.map(\.alignment)
  }

  /// Adds a row, which has one cell per column.
  package mutating func append(_ cells: [Cell]) {
    precondition(cells.count == titles.count, "\(cells.count) cells, \(titles.count) columns")
    rows.append(cells)
  }

  /// The table's lines, the titles first.
  package func text(_ console: Console) -> String {
    let all = [titles.map { Cell($0, .bold) }] + rows
    let widths = titles.indices.map { column in all.map { $0[column].text.count }.max() ?? 0 }
    var result = ""
    for row in all {
      var line = ""
      for (column, cell) in row.enumerated() {
        let isLast = column == row.count - 1
        let spaces = String(repeating: " ", count: widths[column] - cell.text.count)
        let shown = cell.color.map { console.colored(cell.text, $0) } ?? cell.text
        switch alignments[column] {
        case .left: line += shown + (isLast ? "" : spaces)
        case .right: line += spaces + shown
        }
        if !isLast { line += "  " }
      }
      result += line + "\n"
    }
    return result
  }
}
