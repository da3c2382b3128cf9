import JSONText
import Testing

private func parse(_ text: String, _ limits: JSONLimits = JSONLimits()) throws -> JSONValue {
  try JSONValue.parse(Array(text.utf8), limits: limits)
}

private func reason(_ bytes: [UInt8], _ limits: JSONLimits = JSONLimits()) -> JSONError.Reason? {
  do {
    _ = try JSONValue.parse(bytes, limits: limits)
    return nil
  } catch {
    return error.reason
  }
}

struct JSONReaderTests {
  @Test(arguments: [
    ("null", JSONValue.null), (" true\n", .bool(true)), ("\t\rfalse ", .bool(false)),
    ("0", .integer(0)), ("-0", .integer(0)), ("-1", .integer(-1)),
    ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
    ("\"\"", .string("")), ("\"a\\u0000b\"", .string("a\0b")),
    (#""\"\\\/\b\f\n\r\t""#, .string("\"\\/\u{8}\u{C}\n\r\t")),
    (#""\u00e9\uD834\uDd1e""#, .string("é𝄞")), ("\"\u{7F}𝄞é\"", .string("\u{7F}𝄞é")),
    ("[]", .array([])), ("[ ]", .array([])), ("{}", .object([])), ("{ \n}", .object([])),
    ("[1 , [ 2 ] ]", .array([.integer(1), .array([.integer(2)])])),
    (
      #"{"b":1,"a":{"":null}}"#,
      .object([
        JSONMember(key: "b", value: .integer(1)),
        JSONMember(key: "a", value: .object([JSONMember(key: "", value: .null)])),
      ])
    ),
  ])
  func `a valid text reads as its value`(text: String, value: JSONValue) throws {
    #expect(try parse(text) == value)
  }

  @Test(arguments: [
    "9223372036854775808", "-9223372036854775809", "1.0", "1e1", "0.95", "-0.0", "1E+2", "0e-1",
    "123456789012345678901234567890",
  ])
  func `a number beyond 64 bits or with a fraction keeps its text`(text: String) throws {
    guard case .decimal(let decimal) = try parse(text) else {
      Issue.record("\(text) is not a decimal")
      return
    }
    #expect(decimal.text == Array(text.utf8))
  }

  @Test(arguments: [
    ("", JSONError.Reason.unexpectedEnd, 0), (" ", .unexpectedEnd, 1), ("nul", .unexpectedEnd, 3),
    ("nulL", .unexpectedByte(0x4C), 3), ("True", .unexpectedByte(0x54), 0),
    ("[1,]", .unexpectedByte(0x5D), 3), ("[,1]", .unexpectedByte(0x2C), 1),
    ("[1", .unexpectedEnd, 2), ("[1 2]", .unexpectedByte(0x32), 3), ("[", .unexpectedEnd, 1),
    ("{", .unexpectedEnd, 1), ("{\"a\"}", .unexpectedByte(0x7D), 4),
    ("{\"a\":}", .unexpectedByte(0x7D), 5), ("{\"a\":1,}", .unexpectedByte(0x7D), 7),
    ("{a:1}", .unexpectedByte(0x61), 1), ("{'a':1}", .unexpectedByte(0x27), 1),
    ("{\"a\":1 \"b\":2}", .unexpectedByte(0x22), 7), ("[1}", .unexpectedByte(0x7D), 2),
    ("1 2", .trailingBytes, 2), ("{}}", .trailingBytes, 2), ("null\0", .trailingBytes, 4),
    ("01", .invalidNumber, 2), ("-01", .invalidNumber, 3), ("-", .invalidNumber, 1),
    ("-a", .invalidNumber, 1), ("1.", .invalidNumber, 2), ("1.e1", .invalidNumber, 2),
    ("1e", .invalidNumber, 2), ("1e+", .invalidNumber, 3), (".5", .unexpectedByte(0x2E), 0),
    ("+1", .unexpectedByte(0x2B), 0), ("NaN", .unexpectedByte(0x4E), 0),
    ("0x1", .trailingBytes, 1), ("1_0", .trailingBytes, 1), ("\"", .unexpectedEnd, 1),
    ("\"\\", .unexpectedEnd, 1), ("\"a\nb\"", .controlCharacter(10), 2),
    ("\"\0\"", .controlCharacter(0), 1), (#""\a""#, .invalidEscape, 1),
    (#""\U0041""#, .invalidEscape, 1), (#""\u00g0""#, .invalidEscape, 5),
    (#""\u12"#, .unexpectedEnd, 5), (#""\ud800""#, .loneSurrogate, 1),
    (#""\udc00""#, .loneSurrogate, 1), (#""\ud800\ud800""#, .loneSurrogate, 1),
    (#""\ud800\n""#, .loneSurrogate, 1), (#""x\ud800y""#, .loneSurrogate, 2),
    (#"{"a":1,"b":2,"a":3}"#, .duplicateKey, 13), (#"{"a":1,"\u0061":3}"#, .duplicateKey, 7),
    ("// c\n1", .unexpectedByte(0x2F), 0), ("\u{A0}1", .unexpectedByte(0xC2), 0),
    ("\u{FEFF}1", .unexpectedByte(0xEF), 0),
  ])
  func `a malformed text is refused where it breaks`(
    text: String, reason: JSONError.Reason, offset: Int
  ) {
    #expect(throws: JSONError(offset: offset, reason: reason)) { try parse(text) }
  }

  @Test(
    arguments: [
      [0x80], [0xC0, 0xAF], [0xE0, 0x80, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
      [0xF8, 0x88, 0x80, 0x80, 0x80], [0xC3], [0xE2, 0x82], [0xFF],
    ] as [[UInt8]])
  func `a string that is not UTF-8 is refused`(bytes: [UInt8]) {
    let quote = UInt8(ascii: "\"")
    #expect(reason([quote] + bytes + [quote]) == .invalidUTF8)
    #expect(reason([quote] + bytes + Array("\\n".utf8) + [quote]) == .invalidUTF8)
    #expect(reason([quote] + Array("\\n".utf8) + bytes + [quote]) == .invalidUTF8)
  }

  @Test func `canonically equal keys with different bytes are different`() throws {
    let value = try parse("{\"\u{E9}\":1,\"e\u{301}\":2}")
    #expect(value["\u{E9}"] == .integer(1))
    #expect(value["e\u{301}"] == .integer(2))
  }

  @Test func `a repeated key among many is found at its second place`() {
    let keys = (0..<100).map { "\"k\($0)\":0" }
    let text = "{" + (keys + ["\"k7\":0"]).joined(separator: ",") + "}"
    #expect(throws: JSONError(offset: text.utf8.count - 7, reason: .duplicateKey)) {
      try parse(text)
    }
    #expect(throws: Never.self) { try parse("{" + keys.joined(separator: ",") + "}") }
  }

  @Test func `each limit admits its own value and refuses one more`() {
    var limits = JSONLimits()
    limits.depth = 3
    limits.bytesMax = 40
    limits.membersMax = 4
    limits.stringBytesMax = 5
    limits.numberBytesMax = 6
    func outcome(_ text: String) -> JSONError.Reason? { reason(Array(text.utf8), limits) }
    #expect(outcome("[[[]]]") == nil)
    #expect(outcome("[{\"a\":[[]]}]") == .tooDeep(limit: 3))
    #expect(outcome("1" + String(repeating: " ", count: 39)) == nil)
    #expect(outcome("1" + String(repeating: " ", count: 40)) == .tooLong(limit: 40))
    #expect(outcome("[1,{\"a\":1},2]") == nil)
    #expect(outcome("[1,{\"a\":1},2,3]") == .tooManyMembers(limit: 4))
    #expect(outcome("\"12345\"") == nil)
    #expect(outcome("\"123456\"") == .stringTooLong(limit: 5))
    #expect(outcome(#""12\n45""#) == nil)
    #expect(outcome(#""12\n4\u00e9""#) == .stringTooLong(limit: 5))
    #expect(outcome("{\"123456\":1}") == .stringTooLong(limit: 5))
    #expect(outcome("123456") == nil)
    #expect(outcome("-123456") == .numberTooLong(limit: 6))
  }

  @Test func `nesting as deep as the text is long is refused without overflow`() {
    let text = [UInt8](repeating: UInt8(ascii: "["), count: 1 << 20)
    #expect(reason(text) == .tooDeep(limit: 32))
  }

  @Test(arguments: [
    ("0.95", 6, 950_000), ("0.95", 2, 95), ("0.95", 1, nil), ("-0.95", 2, -95), ("1", 3, 1000),
    ("-1", 18, -1_000_000_000_000_000_000), ("1e3", 0, 1000), ("9.5e-1", 2, 95), ("95E-2", 2, 95),
    ("0.950000000000000000000000000000", 2, 95), ("1000e-3", 0, 1), ("0.0", 0, 0),
    ("0e999999999999999999999", 3, 0), ("1e999999999999999999999", 0, nil),
    ("1e-999999999999999999999", 18, nil), ("9.223372036854775807", 18, Int64.max),
    ("-9.223372036854775808", 18, Int64.min), ("9.223372036854775808", 18, nil),
    ("9223372036854775807", 0, Int64.max), ("9223372036854775807", 1, nil),
    ("100000000000000000000000e-20", 0, 1000), ("10.50", 1, 105), ("1.05", 2, 105),
    ("0.0001", 3, nil), ("18446744073709551616", 0, nil),
  ])
  func `a decimal becomes a fixed-point integer exactly or not at all`(
    text: String, scale: Int, expected: Int64?
  ) throws {
    #expect(try parse(text).fixedPoint(scale: scale) == expected)
  }

  @Test func `accessors answer only for their own kind`() throws {
    let value = try parse(#"{"s":"x","i":7,"b":true,"a":[1],"n":null,"d":1.5}"#)
    #expect(value["s"]?.string == "x")
    #expect(value["i"]?.integer == 7)
    #expect(value["b"]?.bool == true)
    #expect(value["a"]?.array == [.integer(1)])
    #expect(value["n"]?.isNull == true)
    #expect(value["d"]?.integer == nil)
    #expect(value["s"]?.fixedPoint(scale: 1) == nil)
    #expect(value["absent"] == nil)
    #expect(value.object?.map(\.key) == ["s", "i", "b", "a", "n", "d"])
    #expect(value["s"]?["x"] == nil)
  }
}
