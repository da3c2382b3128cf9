internal import Primitives

/// The part of a list that a request asks for.
struct Page {
  let list: PageCursor.List
  /// How many rows to show at most.
  let limit: Int
  /// Where the page before ended; `nil` at the start.
  let cursor: PageCursor?
  /// The time that the list's filters refer to: that of its first page.
  let asOfMilliseconds: UInt64
  private let filters: UInt64

  init(
    _ exchange: Exchange, list: PageCursor.List, filters: [String], now: UInt64
  ) throws(APIProblem) {
    self.list = list
    self.filters = PageCursor.digest(of: filters)
    limit = Int(exchange.query.integer("limit") ?? 20)
    guard let text = exchange.query.text("cursor") else {
      cursor = nil
      asOfMilliseconds = now
      return
    }
    guard let cursor = PageCursor(text: text, list: list, filters: self.filters) else {
      throw APIProblem(
        field: "query.cursor", rule: "format",
        "is not a cursor of this list with these filters; take next from the page before and"
          + " keep the filters, or leave it out to start anew")
    }
    self.cursor = cursor
    asOfMilliseconds = cursor.asOfMilliseconds
  }

  /// The cursor behind the row with this sort key.
  func next<Kind>(_ key: Int64, _ identifier: Identifier<Kind>) -> String {
    PageCursor(
      list: list, filters: filters, asOfMilliseconds: asOfMilliseconds, key: key,
      identifier: Identifier(high: identifier.high, low: identifier.low)
    ).text
  }
}
