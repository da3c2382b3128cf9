/// What one member of a request body or one query parameter must be.
///
/// The same rules read requests and describe them in the OpenAPI document, so the two cannot
/// disagree.
struct FieldRule: Sendable {
  /// The kinds of values. Lengths count Unicode scalars, as JSON Schema does.
  enum Kind: Sendable {
    /// Text of one line, without control characters; blank text only when it may be empty.
    case line(ClosedRange<Int>)
    /// Text that may have line feeds and tabs; blank text only when it may be empty.
    case text(ClosedRange<Int>)
    /// Any text of so many bytes in UTF-8.
    case bytes(ClosedRange<Int>)
    /// Base 64 of so many bytes (RFC 4648 section 4).
    case base64(ClosedRange<Int>)
    /// A secret of visible ASCII characters.
    case token(ClosedRange<Int>)
    /// One of some words.
    case word([String])
    /// Some words, each at most once.
    case words([String])
    /// A list of one-line texts.
    case lines(each: ClosedRange<Int>, count: ClosedRange<Int>)
    /// A whole number.
    case integer(ClosedRange<Int64>)
    /// A number in millionths; more decimals are dropped.
    case decimal(ClosedRange<UInt64>)
    /// Any JSON value, of so many bytes when written without spaces.
    case json(ClosedRange<Int>)
    /// `true` or `false`; in a query also `1` or `0`.
    case flag
    /// A UUID.
    case identifier
    /// A date-time of RFC 3339.
    case timestamp
    /// A list of objects that are checked one by one later.
    case objects(ObjectRule, count: ClosedRange<Int>)
  }

  /// The member's or parameter's name.
  let name: String
  /// What its value must be.
  let kind: Kind
  /// Whether it may not be left out.
  let isRequired: Bool
  /// What it means, one sentence.
  let note: String
  /// The value that stands in when it is left out, as shown in the description.
  let fallback: String?

  init(
    _ name: String, _ kind: Kind, isRequired: Bool = false, fallback: String? = nil, _ note: String
  ) {
    self.name = name
    self.kind = kind
    self.isRequired = isRequired
    self.note = note
    self.fallback = fallback
  }
}

/// What a JSON object of a request must be: known members only.
struct ObjectRule: Sendable {
  /// The name under which the description lists it.
  let name: String
  /// The members.
  let fields: [FieldRule]

  init(_ name: String, _ fields: [FieldRule]) {
    self.name = name
    self.fields = fields
  }
}
