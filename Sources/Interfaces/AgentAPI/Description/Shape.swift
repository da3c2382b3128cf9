/// What a part of a response looks like: the source of its description and of the tests' checks.
indirect enum Shape: Sendable {
  /// Any text.
  case text
  /// Bytes in base 64.
  case base64
  /// One of some words.
  case word([String])
  /// A UUID.
  case identifier
  /// Lower-case hexadecimal digits; so many of them, or any even number.
  case hexadecimal(Int?)
  /// The name of an operation: lane, number and index.
  case operation
  /// A date-time of RFC 3339 in UTC with milliseconds.
  case timestamp
  /// A whole number that is not negative.
  case count
  /// A whole number of either sign.
  case integer
  /// Any JSON value.
  case json
  /// A number with six decimals.
  case decimal
  /// `true` or `false`.
  case flag
  /// A list.
  case list(Shape)
  /// A value or `null`.
  case optional(Shape)
  /// An object with exactly these members, some of which may be left out.
  case object([Member])
  /// An object whose keys are data and whose values have one shape.
  case map(Shape)
  /// One of two shapes.
  case either(Shape, Shape)
  /// A shape that has a name in the description.
  case named(String, Shape)

  /// A member of an object.
  struct Member: Sendable {
    let name: String
    let shape: Shape
    let isOptional: Bool

    init(_ name: String, _ shape: Shape, isOptional: Bool = false) {
      self.name = name
      self.shape = shape
      self.isOptional = isOptional
    }
  }
}
