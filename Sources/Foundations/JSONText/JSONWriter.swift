/// A writer of compact JSON into one buffer that is kept between texts.
///
/// Commas and colons are the writer's work. Calls out of order are programmer errors and stop the
/// program: a key outside an object, a value without its key, an unbalanced end, more than 63 open
/// containers, or reading the bytes of an unfinished text.
package struct JSONWriter: Sendable {
  /// One bit per open container, the innermost lowest; set for an object.
  private var objectBits: UInt64 = 0
  private var depth = 0
  /// Whether the next key or value needs a comma before it.
  private var needsComma = false
  /// Whether a key has been written and waits for its value.
  private var hasKey = false
  private var buffer: [UInt8]

  /// Makes a writer with room for `capacity` bytes.
  package init(capacity: Int = 256) {
    buffer = []
    buffer.reserveCapacity(capacity)
  }

  /// The finished text.
  package var bytes: [UInt8] {
    precondition(depth == 0, "\(depth) containers are still open")
    return buffer
  }

  /// Starts the next text in the same memory.
  package mutating func reset() {
    buffer.removeAll(keepingCapacity: true)
    objectBits = 0
    depth = 0
    needsComma = false
    hasKey = false
  }

  // MARK: Containers

  /// Opens an object.
  package mutating func beginObject() {
    begin(UInt8(ascii: "{"), objectBit: 1)
  }

  /// Closes the innermost container, which must be an object.
  package mutating func endObject() {
    end(UInt8(ascii: "}"), objectBit: 1)
  }

  /// Opens an array.
  package mutating func beginArray() {
    begin(UInt8(ascii: "["), objectBit: 0)
  }

  /// Closes the innermost container, which must be an array.
  package mutating func endArray() {
    end(UInt8(ascii: "]"), objectBit: 0)
  }

  /// Writes the key of the next value; keeping keys unique is the caller's duty.
  package mutating func key(_ name: String) {
    precondition(depth > 0 && objectBits & 1 == 1, "key \(name) outside an object")
    precondition(!hasKey, "key \(name) follows a key without value")
    if needsComma { buffer.append(UInt8(ascii: ",")) }
    quote(name)
    buffer.append(UInt8(ascii: ":"))
    hasKey = true
    needsComma = false
  }

  // MARK: Values

  /// Writes a string, escaping only what RFC 8259 section 7 requires.
  package mutating func string(_ text: String) {
    prepare()
    quote(text)
  }

  /// Writes a signed integer.
  package mutating func integer(_ number: Int64) {
    prepare()
    if number < 0 { buffer.append(UInt8(ascii: "-")) }
    appendDecimal(number.magnitude, width: 1)
  }

  /// Writes a signed integer.
  package mutating func integer(_ number: Int) {
    integer(Int64(number))
  }

  /// Writes an unsigned integer.
  package mutating func unsigned(_ number: UInt64) {
    prepare()
    appendDecimal(number, width: 1)
  }

  /// Writes `true` or `false`.
  package mutating func bool(_ truth: Bool) {
    prepare()
    buffer.append(contentsOf: (truth ? "true" : "false").utf8)
  }

  /// Writes `null`.
  package mutating func null() {
    prepare()
    buffer.append(contentsOf: "null".utf8)
  }

  /// Writes `number` divided by ten to the power of `scale`, always with `scale` decimals.
  ///
  /// - Parameters:
  ///   - number: The scaled integer.
  ///   - scale: Decimals, 0 to 18; with 0 the number is an integer.
  package mutating func fixedPoint(_ number: Int64, scale: Int) {
    precondition((0...18).contains(scale), "scale \(scale) is outside 0...18")
    prepare()
    if number < 0 { buffer.append(UInt8(ascii: "-")) }
    var unit: UInt64 = 1
    for _ in 0..<scale { unit *= 10 }
    let (whole, rest) = number.magnitude.quotientAndRemainder(dividingBy: unit)
    appendDecimal(whole, width: 1)
    guard scale > 0 else { return }
    buffer.append(UInt8(ascii: "."))
    appendDecimal(rest, width: scale)
  }

  /// Writes bytes as a string of lowercase hexadecimal digits.
  package mutating func hexadecimal(_ bytes: Span<UInt8>) {
    prepare()
    buffer.append(UInt8(ascii: "\""))
    for index in bytes.indices {
      buffer.append(Self.hexadecimalDigit(bytes[index] >> 4))
      buffer.append(Self.hexadecimalDigit(bytes[index] & 15))
    }
    buffer.append(UInt8(ascii: "\""))
  }

  /// Writes bytes as a string of lowercase hexadecimal digits.
  package mutating func hexadecimal(_ bytes: [UInt8]) {
    hexadecimal(bytes.span)
  }

  /// Writes bytes that already are one JSON value, unchecked.
  package mutating func raw(_ json: [UInt8]) {
    prepare()
    buffer.append(contentsOf: json)
  }

  /// Writes a value read earlier, numbers as they were written.
  package mutating func value(_ value: JSONValue) {
    switch value {
    case .null: null()
    case .bool(let truth): bool(truth)
    case .integer(let number): integer(number)
    case .decimal(let decimal): raw(decimal.text)
    case .string(let text): string(text)
    case .array(let elements):
      beginArray()
      for element in elements { self.value(element) }
      endArray()
    case .object(let members):
      beginObject()
      for member in members {
        key(member.key)
        self.value(member.value)
      }
      endObject()
    }
  }

  // MARK: Helpers

  private mutating func begin(_ bracket: UInt8, objectBit: UInt64) {
    precondition(depth < 63, "more than 63 containers are open")
    prepare()
    buffer.append(bracket)
    objectBits = objectBits << 1 | objectBit
    depth += 1
    needsComma = false
  }

  private mutating func end(_ bracket: UInt8, objectBit: UInt64) {
    precondition(depth > 0 && objectBits & 1 == objectBit, "end without its begin")
    precondition(!hasKey, "a key has no value")
    buffer.append(bracket)
    objectBits >>= 1
    depth -= 1
    needsComma = true
  }

  /// Checks that a value may stand here and writes the comma it needs.
  private mutating func prepare() {
    if depth == 0 {
      precondition(buffer.isEmpty, "a text holds one value")
    } else {
      precondition(objectBits & 1 == 0 || hasKey, "a value in an object without its key")
    }
    if needsComma { buffer.append(UInt8(ascii: ",")) }
    needsComma = true
    hasKey = false
  }

  private mutating func quote(_ text: String) {
    buffer.append(UInt8(ascii: "\""))
    let utf8 = text.utf8.span
    var start = 0
    for index in utf8.indices {
      let byte = utf8[index]
      guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else {
        continue
      }
      append(utf8.extracting(start..<index))
      appendEscape(byte)
      start = index + 1
    }
    append(utf8.extracting(start..<utf8.count))
    buffer.append(UInt8(ascii: "\""))
  }

  private mutating func append(_ run: Span<UInt8>) {
    run.withUnsafeBufferPointer { buffer.append(contentsOf: $0) }
  }

  private mutating func appendEscape(_ byte: UInt8) {
    buffer.append(UInt8(ascii: "\\"))
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): buffer.append(byte)
    case 0x08: buffer.append(UInt8(ascii: "b"))
    case 0x09: buffer.append(UInt8(ascii: "t"))
    case 0x0A: buffer.append(UInt8(ascii: "n"))
    case 0x0C: buffer.append(UInt8(ascii: "f"))
    case 0x0D: buffer.append(UInt8(ascii: "r"))
    default:
      buffer.append(contentsOf: "u00".utf8)
      buffer.append(Self.hexadecimalDigit(byte >> 4))
      buffer.append(Self.hexadecimalDigit(byte & 15))
    }
  }

  /// Appends `number` in decimal, padded with zeros to at least `width` digits.
  private mutating func appendDecimal(_ number: UInt64, width: Int) {
    var digits = InlineArray<20, UInt8>(repeating: UInt8(ascii: "0"))
    var rest = number
    var first = 20
    repeat {
      first -= 1
      digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    } while rest > 0
    first = min(first, 20 - width)
    for index in first..<20 { buffer.append(digits[index]) }
  }

  private static func hexadecimalDigit(_ nibble: UInt8) -> UInt8 {
    nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
  }
}
